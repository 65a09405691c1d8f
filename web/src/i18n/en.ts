// The page's words in English, and the shape that every other language fills.

import type { Problem } from '@visavis/client'

export interface Advice {
  title: string
  advice: string
}

type ProblemWords = { [Kind in Problem['kind']]: (problem: Extract<Problem, { kind: Kind }>) => Advice }

const problems: ProblemWords = {
  'no-webrtc': () => ({
    title: 'This browser cannot make calls',
    advice: 'It has no WebRTC. Open this page in a current Chrome, Edge, Firefox or Safari.',
  }),
  'no-h264': () => ({
    title: 'This browser cannot show the face',
    advice: 'It has no H.264 video. Use Chrome, Edge or Safari, or turn on the OpenH264 plugin in Firefox.',
  }),
  unreachable: () => ({
    title: 'The server cannot be reached',
    advice: 'Check that it is running and that this device is on the same network, then try again.',
  }),
  'server-full': () => ({
    title: 'The server is full',
    advice: 'All places are taken right now. Somebody may hang up soon.',
  }),
  'server-stopping': () => ({
    title: 'The server is shutting down',
    advice: 'It takes no new calls. It may be back shortly.',
  }),
  'call-refused': ({ message }) => ({
    title: 'The server refused the call',
    advice: `It says: ${message}`,
  }),
  'token-refused': ({ message }) => ({ title: 'You may not call here', advice: message }),
  'origin-refused': ({ origin }) => ({
    title: 'This page may not call the server',
    advice: `Its operator can allow ${origin} in server.cors_origins.`,
  }),
  'no-media-path': () => ({
    title: 'Sound and picture cannot get through',
    advice: 'The server answered, but a firewall or VPN blocks the media. Try another network, or ask the operator to open the UDP port.',
  }),
  'connection-lost': () => ({
    title: 'Connection lost',
    advice: 'The network or the server went away. Check your connection and call again.',
  }),
  'session-ended': ({ reason }) => ({
    title: reason === 'shutdown' ? 'The server is shutting down' : 'The call has ended',
    advice:
      reason === 'idle_timeout'
        ? 'Nobody had spoken for a while. Call again whenever you like.'
        : reason === 'max_duration'
          ? 'It reached the longest time a call may take. Call again to go on.'
          : 'The server ended it. Call again whenever you like.',
  }),
  'microphone-missing': () => ({
    title: 'No microphone found',
    advice: 'Plug one in and call again to speak. You can type in the meantime.',
  }),
  'microphone-refused': () => ({
    title: 'The microphone is not allowed',
    advice: 'Allow it for this page in the address bar and call again to speak. You can type in the meantime.',
  }),
  'microphone-busy': () => ({
    title: 'The microphone cannot be used',
    advice: 'Another program may hold it: close that one and call again. You can type in the meantime.',
  }),
  'microphone-lost': () => ({
    title: 'The microphone was unplugged',
    advice: 'Plug it in and call again to speak. You can type in the meantime.',
  }),
  'insecure-page': () => ({
    title: 'The microphone needs a secure page',
    advice: 'Open this page by https:// or on localhost to speak. You can type in the meantime.',
  }),
  unsteady: () => ({ title: 'The connection is unsteady', advice: 'Trying to get it back…' }),
  reconnecting: () => ({ title: 'Connection lost', advice: 'Trying to get it back…' }),
  'text-too-long': ({ length, limit }) => ({ title: 'The message is too long', advice: `It has ${length} characters, ${limit} are taken.` }),
  'session-ending': ({ reason, secondsLeft }) => ({
    title: `The call ends in ${secondsLeft} s`,
    advice: reason === 'idle_timeout' ? 'Say or type something to stay.' : 'It has reached its longest time.',
  }),
  'server-error': ({ message }) => ({ title: 'Something went wrong', advice: message }),
}

export const en = {
  appName: 'visavis',
  artificial: 'This face is made by a machine',
  artificialShort: 'AI',
  call: 'Call',
  callAgain: 'Call again',
  callWithoutMicrophone: 'Type without a microphone',
  retryIn: (seconds: number) => `Try again in ${seconds} s`,
  tryAgain: 'Try again',
  hangUp: 'Hang up',
  cancel: 'Cancel',
  mute: 'Mute',
  unmute: 'Unmute',
  noMicrophone: 'No microphone',
  turnSoundOn: 'Turn sound on',
  intro: 'Talk face to face',
  introDetail: 'Speak or type. The face listens, answers, and stops when you talk over it.',
  ended: 'Call ended',
  allowMicrophone: 'Allow the microphone in the browser’s prompt',
  phase: {
    idle: 'Ready',
    connecting: 'Connecting',
    reconnecting: 'Reconnecting',
    listening: 'Listening',
    thinking: 'Thinking',
    speaking: 'Speaking',
    ended: 'Not connected',
  },
  hearing: 'Hearing you',
  mutedLabel: 'Muted',
  face: 'The face you talk with',
  conversation: 'Conversation',
  you: 'You',
  other: 'Visavis',
  emptyConversation: 'What you both say appears here.',
  emptyLive: 'Say something, or type it below.',
  interrupted: 'interrupted',
  notUnderstood: 'Not understood',
  writing: 'Writing',
  toLatest: 'To the latest',
  message: 'Message',
  messagePlaceholder: 'Type a message',
  messagePlaceholderOffline: 'Start a call to write',
  send: 'Send',
  tooLong: (over: number, most: number) => `${over} characters too many: ${most} at most.`,
  dismiss: 'Dismiss',
  problems,
}

export type Words = typeof en
