// The microphone: one audio track, or the reason why there is none.

import type { MicrophoneProblem } from './problems'

export type Microphone = { track: MediaStreamTrack; problem: null } | { track: null; problem: MicrophoneProblem }

/** Asks for the microphone; the browser may prompt, so this can take as long as the user does. */
export async function openMicrophone(): Promise<Microphone> {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices?.getUserMedia) return { track: null, problem: 'insecure-page' }
  try {
    // Echo cancellation is what lets the user talk over the face without headphones.
    const stream = await devices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    })
    const track = stream.getAudioTracks()[0]
    return track ? { track, problem: null } : { track: null, problem: 'microphone-missing' }
  } catch (error) {
    return { track: null, problem: problemOf(error) }
  }
}

/** Names of the Media Capture specification, section 10.2 (getUserMedia). */
function problemOf(error: unknown): MicrophoneProblem {
  switch ((error as { name?: string } | null)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'microphone-refused'
    case 'NotReadableError':
    case 'AbortError':
      return 'microphone-busy'
    default:
      return 'microphone-missing'
  }
}
