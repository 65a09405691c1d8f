// What a page can use of this package; everything else is its own affair.

export { MAX_TEXT_LENGTH, VisavisCall, type CallEvents, type CallState, type Phase } from './call'
export type { Entry, EntryState } from './conversation'
export type { FatalProblem, Hint, Problem } from './problems'
export type { EndReason, ErrorBody, ServerEvent } from './protocol'
