// What the fake gives to tests in TypeScript.

interface FakeCall {
  id: string
  started_at: number
}

export interface Fake {
  url: string
  key: string
  metrics: { lines: [string, number?][] }
  calls: Map<string, FakeCall>
  emit(name: string, data: unknown): void
  error(kind: string, message: string): void
  tick(): void
  startCall(change?: object): FakeCall
  endCall(id: string, reason: string): boolean
  config(): Record<string, Record<string, unknown>> & { llm: Record<string, unknown>; asr: Record<string, unknown> }
  setAway(away: boolean): void
  stop(): Promise<void>
}

export function startFake(options?: { port?: number; scene?: 'busy' | 'empty' | 'old'; key?: string }): Promise<Fake>

export const nodeFetch: typeof fetch
