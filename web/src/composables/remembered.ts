// A ref whose value outlives the page, in localStorage or sessionStorage. Storage may be forbidden, full, or hold what an
// older page left there: then the value starts from its default, and lives as long as the page.

import { customRef, type Ref } from 'vue'

const PREFIX = 'visavis.'

/** @param read makes a value of what was stored, or null if nothing can be made of it */
export function remembered<Value>(
  name: string,
  initial: () => Value,
  read: (stored: unknown) => Value | null,
  storage: () => Storage = () => localStorage,
): Ref<Value> {
  let value = load(name, read, storage) ?? initial()
  return customRef((track, trigger) => ({
    get() {
      track()
      return value
    },
    set(next) {
      value = next
      try {
        storage().setItem(PREFIX + name, JSON.stringify(next))
      } catch {
        // It is remembered for as long as the page is open.
      }
      trigger()
    },
  }))
}

export const oneOf =
  <Value extends string>(...known: Value[]) =>
  (stored: unknown): Value | null =>
    known.find((value) => value === stored) ?? null

function load<Value>(name: string, read: (stored: unknown) => Value | null, storage: () => Storage): Value | null {
  try {
    const text = storage().getItem(PREFIX + name)
    return text === null ? null : read(JSON.parse(text))
  } catch {
    return null
  }
}
