// A typed event emitter: what `EventTarget` is, with the payload's type known and nothing else.

type Listener<Payload> = (payload: Payload) => void

export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<Listener<never>>>()

  /** Calls `listener` at every `name` until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const known = this.listeners.get(name) ?? new Set<Listener<never>>()
    this.listeners.set(name, known)
    known.add(listener as Listener<never>)
    return () => known.delete(listener as Listener<never>)
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) (listener as Listener<Events[Name]>)(payload)
  }
}
