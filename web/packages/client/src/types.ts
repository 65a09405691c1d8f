// What a call is given, what state it is in, and what it tells.

import type { Entry } from './conversation.js'
import type { Token } from './http.js'
import type { FatalProblem, Hint } from './problems.js'
import type { Latency, ServerEvent, Word } from './protocol.js'
import type { SessionPatch } from './session.js'
import type { Activity } from './turns.js'

export type Phase = 'idle' | 'connecting' | 'reconnecting' | Activity | 'ended'

export interface CallOptions {
  /** Base URL of the server; relative ones count from the page. */
  server: string
  /** A client secret (`ek_...`), or how to get a fresh one: asked for before each connection. */
  token?: Token | undefined
  /** What the user speaks (`zh`), if not what the server is set up for. */
  language?: string | undefined
  /** Under this id the server keeps the conversation; whoever knows it reads it, so it must not be guessable. */
  conversationId?: string | undefined
  /** Given with the offer. */
  session?: SessionPatch | undefined
  /** Try again when the connection is lost; true if not said. */
  reconnect?: boolean | undefined
}

export interface CallState {
  readonly phase: Phase
  /** While reconnecting: the number of the try. */
  readonly attempt: number
  /** The browser asks the user for the microphone (only while connecting). */
  readonly asking: boolean
  /** The user is speaking. */
  readonly hearing: boolean
  readonly microphone: 'none' | 'on' | 'muted'
  /** Turns are told by a button: see `talk`. */
  readonly pushToTalk: boolean
  /** That button is held. */
  readonly talking: boolean
  /** The server wants it said that a machine makes the face. */
  readonly artificial: boolean
  /** Why the last call ended, unless the user hung up; while reconnecting: what was lost. */
  readonly problem: FatalProblem | null
}

export interface CallEvents {
  state: CallState
  /** At the start of each call, empty as yet: a <video> that gets it within the user's click may play its sound. */
  stream: MediaStream
  entries: readonly Entry[]
  /** Null takes the hint of this kind back. */
  hint: { kind: Hint['kind']; hint: Hint | null }
  /** The word that is heard now. */
  word: Word
  /** A piece of an answer, as the model writes it: ahead of what is heard. */
  token: { itemId: string; text: string }
  /** When each step of an answer was done. */
  latency: Latency
  /** Every event of the server, after it has been taken in. */
  server: ServerEvent
}

export const INITIAL: CallState = {
  phase: 'idle',
  attempt: 0,
  asking: false,
  hearing: false,
  microphone: 'none',
  pushToTalk: false,
  talking: false,
  artificial: false,
  problem: null,
}
