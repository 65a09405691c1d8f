// What every request to the server needs: its address below the server's base, and the token that lets it in.

/** An API key is for back ends only; a page uses a client secret (`ek_...`), or a function that fetches a fresh one. */
export type Token = string | (() => Promise<string>)

/** `path` below the server's base, which may be relative to the page and may end with or without a slash. */
export function endpoint(server: string, path: string): string {
  const base = new URL(server === '' ? '.' : server, document.baseURI)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return new URL(path, base).href
}

/** The headers that go with every request. Rejects as the token's function does. */
export async function authorization(token: Token | undefined): Promise<Record<string, string>> {
  const value = typeof token === 'function' ? await token() : token
  return value ? { Authorization: `Bearer ${value}` } : {}
}
