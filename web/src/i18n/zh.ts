// The page's words in Chinese (Simplified).

import type { Words } from './en'

export const zh: Words = {
  appName: 'visavis',
  artificial: '这张脸由机器生成',
  artificialShort: 'AI',
  call: '呼叫',
  callAgain: '重新呼叫',
  callWithoutMicrophone: '不用麦克风，打字交谈',
  retryIn: (seconds) => `${seconds} 秒后可重试`,
  tryAgain: '重试',
  hangUp: '挂断',
  cancel: '取消',
  mute: '静音',
  unmute: '取消静音',
  noMicrophone: '没有麦克风',
  turnSoundOn: '打开声音',
  intro: '面对面聊天',
  introDetail: '说话或打字都可以。对方会倾听、回答，你一开口它就停下。',
  ended: '通话已结束',
  allowMicrophone: '请在浏览器的提示中允许使用麦克风',
  phase: {
    idle: '就绪',
    connecting: '正在连接',
    reconnecting: '正在重新连接',
    listening: '正在听',
    thinking: '正在思考',
    speaking: '正在说话',
    ended: '未连接',
  },
  hearing: '听到你了',
  mutedLabel: '已静音',
  face: '与你交谈的面孔',
  conversation: '对话',
  you: '你',
  other: '对方',
  emptyConversation: '双方说的话会显示在这里。',
  emptyLive: '说点什么，或在下面打字。',
  interrupted: '被打断',
  notUnderstood: '没有听清',
  writing: '正在输入',
  toLatest: '回到最新',
  message: '消息',
  messagePlaceholder: '输入消息',
  messagePlaceholderOffline: '呼叫后即可输入',
  send: '发送',
  tooLong: (over, most) => `超出 ${over} 个字符，最多 ${most} 个。`,
  dismiss: '关闭',
  problems: {
    'no-webrtc': () => ({
      title: '此浏览器无法通话',
      advice: '它不支持 WebRTC。请用新版 Chrome、Edge、Firefox 或 Safari 打开本页。',
    }),
    'no-h264': () => ({
      title: '此浏览器无法显示面孔',
      advice: '它不支持 H.264 视频。请使用 Chrome、Edge 或 Safari，或在 Firefox 中启用 OpenH264 插件。',
    }),
    unreachable: () => ({ title: '无法连接服务器', advice: '请确认服务器正在运行、本设备在同一网络中，然后重试。' }),
    'server-full': () => ({ title: '服务器已满', advice: '目前没有空位，稍后可能有人挂断。' }),
    'server-stopping': () => ({ title: '服务器正在关闭', advice: '暂不接受新的呼叫，可能很快恢复。' }),
    'call-refused': ({ message }) => ({ title: '服务器拒绝了呼叫', advice: `原因：${message}` }),
    'token-refused': ({ message }) => ({ title: '无权呼叫', advice: message }),
    'origin-refused': ({ origin }) => ({ title: '此网页不能呼叫该服务器', advice: `管理员可在 server.cors_origins 中允许 ${origin}。` }),
    'no-media-path': () => ({
      title: '声音和画面无法传输',
      advice: '服务器有回应，但防火墙或 VPN 挡住了媒体。请换个网络，或请管理员开放 UDP 端口。',
    }),
    'connection-lost': () => ({ title: '连接已断开', advice: '网络或服务器中断了。请检查连接后重新呼叫。' }),
    'session-ended': ({ reason }) => ({
      title: reason === 'shutdown' ? '服务器正在关闭' : '通话已结束',
      advice:
        reason === 'idle_timeout'
          ? '很久没有人说话了。随时可以重新呼叫。'
          : reason === 'max_duration'
            ? '已达到单次通话的最长时间。重新呼叫即可继续。'
            : '服务器结束了通话。随时可以重新呼叫。',
    }),
    'microphone-missing': () => ({ title: '没有找到麦克风', advice: '接上麦克风后重新呼叫即可说话，现在可以先打字。' }),
    'microphone-refused': () => ({
      title: '麦克风未获允许',
      advice: '请在地址栏中允许本页使用麦克风，再重新呼叫即可说话，现在可以先打字。',
    }),
    'microphone-busy': () => ({
      title: '麦克风无法使用',
      advice: '可能被其他程序占用：关闭它后重新呼叫，现在可以先打字。',
    }),
    'microphone-lost': () => ({ title: '麦克风已断开', advice: '接上后重新呼叫即可说话，现在可以先打字。' }),
    'insecure-page': () => ({
      title: '麦克风需要安全的页面',
      advice: '请通过 https:// 或 localhost 打开本页即可说话，现在可以先打字。',
    }),
    unsteady: () => ({ title: '连接不稳定', advice: '正在恢复……' }),
    reconnecting: () => ({ title: '连接已断开', advice: '正在恢复……' }),
    'text-too-long': ({ length, limit }) => ({ title: '消息太长', advice: `共 ${length} 个字符，最多 ${limit} 个。` }),
    'session-ending': ({ reason, secondsLeft }) => ({
      title: `通话将在 ${secondsLeft} 秒后结束`,
      advice: reason === 'idle_timeout' ? '说点什么或打字即可继续。' : '已达到最长时间。',
    }),
    'server-error': ({ message }) => ({ title: '出了点问题', advice: message }),
  },
}
