// The microphone: one audio track, or the reason why there is none; and how loud it is now.

import type { MicrophoneProblem } from './problems.js'

export const MICROPHONE_PROBLEMS: readonly MicrophoneProblem[] = [
  'microphone-missing',
  'microphone-refused',
  'microphone-busy',
  'microphone-lost',
  'insecure-page',
]

export type Microphone = { track: MediaStreamTrack; problem: null } | { track: null; problem: MicrophoneProblem }

/**
 * Asks for the microphone; the browser may prompt, so this can take as long as the user does.
 * @param deviceId of `enumerateDevices`; one that is gone is passed over for the default
 */
export async function openMicrophone(deviceId?: string): Promise<Microphone> {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices?.getUserMedia) return { track: null, problem: 'insecure-page' }
  // Echo cancellation is what lets the user talk over the face without headphones.
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 }
  try {
    const audio = deviceId ? { ...wanted, deviceId: { exact: deviceId } } : wanted
    const track = (await devices.getUserMedia({ audio })).getAudioTracks()[0]
    return track ? { track, problem: null } : { track: null, problem: 'microphone-missing' }
  } catch (error) {
    if (deviceId && nameOf(error) === 'OverconstrainedError') return openMicrophone()
    return { track: null, problem: problemOf(error) }
  }
}

/** All that this browser tells of: without permission there may be one without a name. */
export async function listMicrophones(): Promise<MediaDeviceInfo[]> {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  const all = (await devices?.enumerateDevices?.().catch(() => [])) ?? []
  return all.filter((device) => device.kind === 'audioinput')
}

/** Names of the Media Capture specification, section 10.2 (getUserMedia). */
function problemOf(error: unknown): MicrophoneProblem {
  switch (nameOf(error)) {
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

function nameOf(error: unknown): string | undefined {
  return (error as { name?: string } | null)?.name
}

/** Loudness that counts as none: the noise of a quiet room. */
const QUIET_DB = -60
const LOUD_DB = -15

/** How loud a track is: 0 for a quiet room, 1 for a voice close by. */
export class LevelMeter {
  private context: AudioContext | null = null
  private source: MediaStreamAudioSourceNode | null = null
  private analyser: AnalyserNode | null = null
  private samples = new Float32Array(1024)

  attach(track: MediaStreamTrack): void {
    if (typeof AudioContext === 'undefined') return
    this.context ??= new AudioContext()
    void this.context.resume().catch(() => undefined)
    if (!this.analyser) {
      this.analyser = this.context.createAnalyser()
      this.analyser.fftSize = this.samples.length
    }
    this.source?.disconnect()
    this.source = this.context.createMediaStreamSource(new MediaStream([track]))
    this.source.connect(this.analyser)
  }

  level(): number {
    if (!this.analyser) return 0
    this.analyser.getFloatTimeDomainData(this.samples)
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length
    const db = 10 * Math.log10(power + 1e-12)
    return Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)))
  }

  close(): void {
    void this.context?.close().catch(() => undefined)
    this.context = this.source = this.analyser = null
  }
}
