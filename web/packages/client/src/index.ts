// What a page can use of this package; everything else is its own affair.

export * from './api.js'
export { MAX_TEXT_LENGTH, VisavisCall } from './call.js'
export type { Entry, EntryState } from './conversation.js'
export type { Token } from './http.js'
export type { FatalProblem, Hint, MicrophoneProblem, Problem } from './problems.js'
export type { EndReason, ErrorBody, Latency, ServerEvent, Word } from './protocol.js'
export { FRAME_THRESHOLDS, THRESHOLDS, type Grade, type Quality } from './quality.js'
export type { SessionPatch, TurnDetection } from './session.js'
export { toJson, toText, toWebVtt, type SpeakerNames, type TranscriptLine } from './transcript.js'
export type { CallEvents, CallOptions, CallState, Phase } from './types.js'
