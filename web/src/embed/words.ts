// The words of the element, in English and Chinese. Every problem says what is wrong and what to do.

import type { Phase, Problem } from '@visavis/client'

export interface Advice {
  title: string
  advice: string
}

type ProblemWords = { [Kind in Problem['kind']]: (problem: Extract<Problem, { kind: Kind }>) => Advice }

const en = {
  tag: 'en',
  label: (name: string) => (name ? `Talk with ${name}` : 'Talk face to face'),
  intro: 'Speak or type. Talk over the answer and it stops.',
  microphoneWhy: (host: string) => `The browser will ask for your microphone. What you say goes to ${host}, and only during the call.`,
  start: 'Start talking',
  startAgain: 'Talk again',
  startTyping: 'Type instead',
  startTypingOnly: 'Start',
  tryAgain: 'Try again',
  retryIn: (seconds: number) => `Try again in ${seconds} s`,
  ended: 'The call has ended',
  asking: 'Allow the microphone in the browser’s prompt',
  close: 'Close',
  closeAndHangUp: 'Hang up and close',
  hangUp: 'Hang up',
  cancel: 'Cancel',
  mute: 'Mute the microphone',
  unmute: 'Unmute the microphone',
  noMicrophone: 'Turn on the microphone',
  message: 'Message',
  placeholder: 'Type a message',
  send: 'Send',
  tooLong: (length: number, limit: number) => `${length} characters are too many: ${limit} at most.`,
  sound: 'Turn sound on',
  dismiss: 'Dismiss',
  conversation: 'Conversation',
  you: 'You',
  notUnderstood: 'Not understood',
  artificial: 'This face is made by a machine',
  artificialShort: 'AI',
  hearing: 'Hearing you',
  phase: {
    idle: 'Ready',
    connecting: 'Connecting',
    reconnecting: 'Reconnecting',
    listening: 'Listening',
    thinking: 'Thinking',
    speaking: 'Speaking',
    ended: 'Not connected',
  } satisfies Record<Phase, string> as Record<Phase, string>,
  problems: {
    'no-webrtc': () => ({ title: 'This browser cannot make calls', advice: 'Use a current Chrome, Edge, Firefox or Safari.' }),
    'no-h264': () => ({
      title: 'You can hear the face, but not see it move',
      advice: 'This browser has no H.264 video. Use Chrome, Edge or Safari, or turn on the OpenH264 plugin in Firefox.',
    }),
    unreachable: () => ({ title: 'The server cannot be reached', advice: 'Check your connection and try again in a moment.' }),
    'server-full': () => ({ title: 'All places are taken', advice: 'Somebody may hang up soon.' }),
    'server-stopping': () => ({ title: 'The server is restarting', advice: 'It may be back shortly.' }),
    'token-refused': ({ expired, message }) =>
      expired
        ? { title: 'Your permission has run out', advice: 'Load the page again to get a new one.' }
        : { title: 'You may not call from here yet', advice: `Load the page again, or sign in. (${message})` },
    'origin-refused': ({ origin }) => ({
      title: 'This page may not call the server',
      advice: `Whoever runs the server can allow it: ${origin} belongs into server.cors_origins.`,
    }),
    'call-refused': ({ message }) => ({ title: 'The server refused the call', advice: message }),
    'no-media-path': () => ({
      title: 'Sound and picture cannot get through',
      advice: 'A firewall or VPN blocks them. Try another network.',
    }),
    'connection-lost': () => ({ title: 'The connection was lost', advice: 'Check your network and call again.' }),
    'session-ended': ({ reason }) => ({
      title: reason === 'shutdown' ? 'The server has stopped' : 'The call has ended',
      advice:
        reason === 'idle_timeout'
          ? 'Nobody had spoken for a while.'
          : reason === 'max_duration'
            ? 'It reached the longest time a call may take.'
            : 'Call again in a moment.',
    }),
    'microphone-missing': () => ({ title: 'No microphone found', advice: 'Plug one in and press the microphone. You can type meanwhile.' }),
    'microphone-refused': () => ({
      title: 'The microphone is not allowed',
      advice: 'Allow it in the address bar and press the microphone. You can type meanwhile.',
    }),
    'microphone-busy': () => ({
      title: 'The microphone cannot be used',
      advice: 'Another program may hold it: close that and press the microphone. You can type meanwhile.',
    }),
    'microphone-lost': () => ({
      title: 'The microphone was unplugged',
      advice: 'Plug it in and press the microphone. You can type meanwhile.',
    }),
    'insecure-page': () => ({
      title: 'The microphone needs a secure page',
      advice: 'It works on https:// and on localhost. You can type meanwhile.',
    }),
    unsteady: () => ({ title: 'The connection is unsteady', advice: '' }),
    reconnecting: () => ({ title: 'The connection was lost', advice: 'Trying to get it back…' }),
    'session-ending': ({ reason, secondsLeft }) => ({
      title: `The call ends in ${secondsLeft} s`,
      advice: reason === 'idle_timeout' ? 'Say or type something to stay.' : '',
    }),
    'text-too-long': ({ length, limit }) => ({
      title: 'The message is too long',
      advice: `It has ${length} characters; ${limit} fit. Send it in parts.`,
    }),
    'server-error': ({ message }) => ({ title: 'Something went wrong', advice: message }),
  } satisfies ProblemWords as ProblemWords,
}

export type Words = typeof en

const zh: Words = {
  tag: 'zh-Hans',
  label: (name) => (name ? `与${name}交谈` : '面对面聊天'),
  intro: '说话或打字都可以，你一开口它就停下。',
  microphoneWhy: (host) => `浏览器会请求使用麦克风。你说的话只在通话期间发送到 ${host}。`,
  start: '开始说话',
  startAgain: '再次通话',
  startTyping: '改用打字',
  startTypingOnly: '开始',
  tryAgain: '重试',
  retryIn: (seconds) => `${seconds} 秒后可重试`,
  ended: '通话已结束',
  asking: '请在浏览器的提示中允许使用麦克风',
  close: '关闭',
  closeAndHangUp: '挂断并关闭',
  hangUp: '挂断',
  cancel: '取消',
  mute: '麦克风静音',
  unmute: '取消麦克风静音',
  noMicrophone: '打开麦克风',
  message: '消息',
  placeholder: '输入消息',
  send: '发送',
  tooLong: (length, limit) => `共 ${length} 个字符，最多 ${limit} 个。`,
  sound: '打开声音',
  dismiss: '关闭提示',
  conversation: '对话',
  you: '你',
  notUnderstood: '没有听清',
  artificial: '这张脸由机器生成',
  artificialShort: 'AI',
  hearing: '听到你了',
  phase: {
    idle: '就绪',
    connecting: '正在连接',
    reconnecting: '正在重新连接',
    listening: '正在听',
    thinking: '正在思考',
    speaking: '正在说话',
    ended: '未连接',
  },
  problems: {
    'no-webrtc': () => ({ title: '此浏览器无法通话', advice: '请使用新版 Chrome、Edge、Firefox 或 Safari。' }),
    'no-h264': () => ({
      title: '可以听到声音，但看不到面孔动作',
      advice: '此浏览器不支持 H.264 视频。请使用 Chrome、Edge 或 Safari，或在 Firefox 中启用 OpenH264 插件。',
    }),
    unreachable: () => ({ title: '无法连接服务器', advice: '请检查网络，稍后重试。' }),
    'server-full': () => ({ title: '暂时没有空位', advice: '稍后可能有人挂断。' }),
    'server-stopping': () => ({ title: '服务器正在重启', advice: '可能很快恢复。' }),
    'token-refused': ({ expired, message }) =>
      expired
        ? { title: '通话许可已过期', advice: '请重新加载页面以获取新的许可。' }
        : { title: '暂时不能从这里呼叫', advice: `请重新加载页面，或先登录。（${message}）` },
    'origin-refused': ({ origin }) => ({
      title: '此网页不能呼叫该服务器',
      advice: `服务器管理员可以允许它：将 ${origin} 加入 server.cors_origins。`,
    }),
    'call-refused': ({ message }) => ({ title: '服务器拒绝了呼叫', advice: message }),
    'no-media-path': () => ({ title: '声音和画面无法传输', advice: '防火墙或 VPN 挡住了它们，请换个网络。' }),
    'connection-lost': () => ({ title: '连接已断开', advice: '请检查网络后重新呼叫。' }),
    'session-ended': ({ reason }) => ({
      title: reason === 'shutdown' ? '服务器已停止' : '通话已结束',
      advice: reason === 'idle_timeout' ? '很久没有人说话了。' : reason === 'max_duration' ? '已达到单次通话的最长时间。' : '请稍后重新呼叫。',
    }),
    'microphone-missing': () => ({ title: '没有找到麦克风', advice: '接上后按麦克风按钮，现在可以先打字。' }),
    'microphone-refused': () => ({ title: '麦克风未获允许', advice: '请在地址栏中允许，再按麦克风按钮，现在可以先打字。' }),
    'microphone-busy': () => ({ title: '麦克风无法使用', advice: '可能被其他程序占用：关闭它后按麦克风按钮，现在可以先打字。' }),
    'microphone-lost': () => ({ title: '麦克风已断开', advice: '接上后按麦克风按钮，现在可以先打字。' }),
    'insecure-page': () => ({ title: '麦克风需要安全的页面', advice: '它只在 https:// 和 localhost 上可用，现在可以先打字。' }),
    unsteady: () => ({ title: '连接不稳定', advice: '' }),
    reconnecting: () => ({ title: '连接已断开', advice: '正在恢复……' }),
    'session-ending': ({ reason, secondsLeft }) => ({
      title: `通话将在 ${secondsLeft} 秒后结束`,
      advice: reason === 'idle_timeout' ? '说点什么或打字即可继续。' : '',
    }),
    'text-too-long': ({ length, limit }) => ({ title: '消息太长', advice: `共 ${length} 个字符，最多 ${limit} 个，请分开发送。` }),
    'server-error': ({ message }) => ({ title: '出了点问题', advice: message }),
  },
}

/** The words for a language tag; English for all that is not Chinese. */
export function wordsFor(tag: string): Words {
  return tag.toLowerCase().startsWith('zh') ? zh : en
}

export function adviceFor(words: Words, problem: Problem): Advice {
  return (words.problems[problem.kind] as (problem: Problem) => Advice)(problem)
}
