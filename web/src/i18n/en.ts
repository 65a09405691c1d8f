// The page's words in English, and the shape that every other language fills.

import type { Problem } from '@visavis/client'

interface Advice {
  title: string
  advice: string
}

/** Words for whatever can go wrong in a call; `session-ended` and `session-ending` have theirs by the reason. */
type ProblemWords = Record<Exclude<Problem['kind'], 'session-ended' | 'session-ending'>, Advice>

const problems: ProblemWords = {
  'no-webrtc': {
    title: 'This browser cannot make calls',
    advice: 'It has no WebRTC. Open this page in a current Chrome, Edge, Firefox or Safari.',
  },
  'no-h264': {
    title: 'You can hear the face, but not see it move',
    advice: 'This browser has no H.264 video. Use Chrome, Edge or Safari, or turn on the OpenH264 plugin in Firefox.',
  },
  unreachable: {
    title: 'The server cannot be reached',
    advice: 'Check that it is running and that this device is on the same network, then try again.',
  },
  'server-full': { title: 'The server is full', advice: 'All places are taken right now. Somebody may hang up soon.' },
  'server-stopping': { title: 'The server is shutting down', advice: 'It takes no new calls. It may be back shortly.' },
  'call-refused': { title: 'The server refused the call', advice: 'It says: {message}' },
  'token-refused': {
    title: 'This server asks for a key',
    advice: 'It is missing, wrong or has expired. Enter the key that the operator gave you.',
  },
  'origin-refused': {
    title: 'This page may not call this server',
    advice: 'Open the server’s own page, or ask its operator to add this page’s address to the allowed origins.',
  },
  'no-media-path': {
    title: 'Sound and picture cannot get through',
    advice: 'The server answered, but a firewall or VPN blocks the media. Try another network, or ask the operator to open the UDP port.',
  },
  'connection-lost': {
    title: 'Connection lost',
    advice: 'The network or the server went away. Check your connection and call again: the conversation goes on where it was.',
  },
  'microphone-missing': {
    title: 'No microphone found',
    advice: 'Plug one in and choose it beside the microphone button. You can type in the meantime.',
  },
  'microphone-refused': {
    title: 'The microphone is not allowed',
    advice: 'Allow it for this page in the address bar and call again to speak. You can type in the meantime.',
  },
  'microphone-busy': {
    title: 'The microphone cannot be used',
    advice: 'Another program may hold it: close that one and call again. You can type in the meantime.',
  },
  'microphone-lost': {
    title: 'The microphone was unplugged',
    advice: 'Plug it in again, or choose another beside the microphone button. You can type in the meantime.',
  },
  'insecure-page': {
    title: 'The microphone needs a secure page',
    advice: 'Open this page by https:// or on localhost to speak. You can type in the meantime.',
  },
  unsteady: { title: 'The connection is unsteady', advice: 'Trying to get it back…' },
  reconnecting: { title: 'Connection lost', advice: 'Trying again… The conversation goes on where it was.' },
  'text-too-long': { title: 'The message is too long', advice: 'Shorten it, or send it in parts.' },
  'server-error': { title: 'Something went wrong', advice: '{message}' },
}

export const en = {
  app: {
    name: 'visavis',
    loading: 'Loading…',
    crashed: 'This page ran into an error',
    crashedAdvice: 'Reload it to go on. The conversation is kept.',
    reload: 'Reload the page',
  },
  header: { dark: 'Dark theme', language: '中文', settings: 'Settings', settingsFailed: 'The settings did not load. Check the connection and try again.' },
  idle: {
    title: 'Talk face to face',
    detail: 'Speak or type. The face listens, answers, and stops when you talk over it.',
    microphone: 'Your browser will ask for the microphone. It is heard only while the call lasts, and no sound is kept.',
    call: 'Call',
    type: 'Type instead',
  },
  ended: { title: 'Call ended', again: 'Call again', tryAgain: 'Try again', retryIn: 'Try again in {seconds} s', byReason: {
    idle_timeout: { title: 'The call has ended', advice: 'Nobody had spoken for a while. Call again whenever you like.' },
    max_duration: { title: 'The call has ended', advice: 'It reached the longest time a call may take. Call again to go on.' },
    shutdown: { title: 'The server is shutting down', advice: 'It ended the call. Call again when it is back.' },
    other: { title: 'The call has ended', advice: 'The server ended it. Call again whenever you like.' },
  } },
  ending: {
    title: 'The call ends in {seconds} s',
    idle_timeout: 'Say or type something to stay.',
    other: 'It has reached its longest time.',
  },
  key: { label: 'Access key', send: 'Use this key' },
  phase: {
    idle: 'Ready',
    connecting: 'Connecting',
    listening: 'Listening',
    hearing: 'Hearing you',
    thinking: 'Thinking',
    speaking: 'Speaking',
    reconnecting: 'Reconnecting',
    ended: 'Not connected',
  },
  face: {
    label: 'The face you talk with',
    artificial: 'This face is made by a machine',
    artificialShort: 'AI',
    connected: 'Connected. You can speak or type.',
    turnSoundOn: 'Turn sound on',
    allowMicrophone: 'Allow the microphone in the browser’s prompt',
    attempt: 'Attempt {attempt}',
  },
  controls: {
    label: 'Call controls',
    mute: 'Mute',
    unmute: 'Unmute',
    noMicrophone: 'No microphone',
    level: 'Microphone level',
    devices: 'Choose the microphone',
    noDevices: 'No microphone found',
    device: 'Microphone {number}',
    pushToTalk: 'Push to talk',
    pushToTalkHint: 'Hold the space key or the button while you speak',
    hold: 'Hold to talk',
    release: 'Release to send',
    stop: 'Stop the answer',
    hangUp: 'Hang up',
    cancel: 'Cancel',
    subtitles: 'Subtitles',
  },
  quality: {
    good: 'Good connection',
    fair: 'Fair connection',
    poor: 'Poor connection',
    measuring: 'Measuring the connection',
    roundTrip: 'Round trip',
    loss: 'Packets lost',
    jitter: 'Jitter',
    pictures: 'Pictures a second',
    rate: 'Received',
  },
  conversation: {
    label: 'Conversation',
    you: 'You',
    other: 'Visavis',
    empty: 'What you both say appears here.',
    emptyLive: 'Say something, or type it below.',
    interrupted: 'interrupted',
    notUnderstood: 'Not understood',
    writing: 'Writing',
    toLatest: 'To the latest',
    menu: 'Transcript and conversation',
    copy: 'Copy the transcript',
    copied: 'The transcript is on the clipboard.',
    copyFailed: 'The browser does not let this page copy. Download the transcript instead.',
    asText: 'Download as text',
    asJson: 'Download as JSON',
    asVtt: 'Download as subtitles (WebVTT)',
    renew: 'New conversation',
    remove: 'Delete the conversation',
    removeTitle: 'Delete this conversation?',
    removeDetail: 'It is deleted here and on the server, for good. A running call ends.',
    removeYes: 'Delete',
    removed: 'The conversation is deleted.',
    removeFailed: 'The server did not delete it: {message} Try again.',
    cancel: 'Cancel',
  },
  message: {
    label: 'Message',
    placeholder: 'Type a message',
    placeholderWaiting: 'Waiting for the connection',
    placeholderOffline: 'Start a call to write',
    send: 'Send',
    tooLong: '{over} characters too many: {most} at most.',
  },
  dismiss: 'Dismiss',
  problems,
}

export type Words = typeof en
