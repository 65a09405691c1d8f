// What a page can use of this package; everything else is its own affair.

export * from './api'
export { MAX_TEXT_LENGTH, VisavisCall } from './call'
export type { Entry, EntryState } from './conversation'
export type { Token } from './http'
export type { FatalProblem, Hint, MicrophoneProblem, Problem } from './problems'
export type { EndReason, ErrorBody, Latency, ServerEvent, Word } from './protocol'
export { FRAME_THRESHOLDS, THRESHOLDS, type Grade, type Quality } from './quality'
export type { SessionPatch, TurnDetection } from './session'
export { toJson, toText, toWebVtt, type SpeakerNames, type TranscriptLine } from './transcript'
export type { CallEvents, CallOptions, CallState, Phase } from './types'
