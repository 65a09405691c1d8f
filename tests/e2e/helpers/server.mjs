// Starts and stops the server under test.

import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFront } from './page-front.mjs'
import { ARTIFACTS, BINARY, PAGE, SERVER_CONFIG, serverArguments } from './settings.mjs'

/** Models are loaded and warmed up before the server is ready. */
const READY_MILLIS = 120_000
const STOP_MILLIS = 15_000

/** Resolves when the server says that it is ready. `url` has no slash at its end. `settings` go on where [server] stands. */
export async function startServer(settings = '') {
  if (!existsSync(BINARY)) throw new Error(`No server at ${BINARY}. Build it (make build) or name it in VISAVIS_BIN.`)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-e2e-'))
  const config = path.join(folder, 'config.toml')
  // What is kept is kept there.
  const memory = `[memory]\nfile = "${path.join(folder, 'conversations.db')}"\n`
  const faces = `[avatar]\nfolder = "${path.join(folder, 'avatars')}"\n`
  writeFileSync(config, `${memory}${faces}${SERVER_CONFIG}${settings}`)
  mkdirSync(ARTIFACTS, { recursive: true })
  const log = createWriteStream(path.join(ARTIFACTS, 'e2e-server.log'))

  let server = await launch(config, '127.0.0.1:0', log)
  const front = PAGE ? await startFront(PAGE, server.url) : null

  return {
    url: front?.url ?? server.url,
    /** The body of /api/status. */
    status: async () => (await fetch(`${server.url}/api/status`)).json(),
    /** As a power cut would. */
    kill: () => server.end('SIGKILL'),
    /** After `kill`: the same server again, at the same address. */
    restart: async () => {
      server = await launch(config, new URL(server.url).host, log)
    },
    /** Gracefully; returns the exit code or, if it had to be killed, the signal. */
    stop: async () => {
      const timer = setTimeout(() => void server.end('SIGKILL'), STOP_MILLIS)
      const end = await server.end('SIGTERM')
      clearTimeout(timer)
      front?.close()
      log.end()
      rmSync(folder, { recursive: true, force: true })
      return end
    },
  }
}

/** Starts one process, and resolves when it is ready. */
async function launch(config, listen, log) {
  const child = spawn(BINARY, serverArguments(config, listen), { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  let output = ''
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log.write(chunk)
        output = (output + chunk).slice(-20_000)
        const address = /listening on (http:\/\/[^\s\u001b]+)/.exec(output)
        if (address) resolve(address[1].replace(/\/$/, ''))
      })
    }
    child.once('error', reject)
    exited.then((end) => reject(new Error(`The server ended (${end}) before it listened:\n${output}`)))
    sleep(READY_MILLIS, undefined, { ref: false }).then(() => reject(new Error(`The server names no address:\n${output}`)))
  })

  const deadline = Date.now() + READY_MILLIS
  while (!(await isOk(`${url}/readyz`))) {
    if (child.exitCode !== null) throw new Error(`The server ended (${child.exitCode}) before it was ready:\n${output}`)
    if (Date.now() > deadline) throw new Error(`The server is not ready after ${READY_MILLIS / 1000} s:\n${output}`)
    await sleep(200)
  }
  return {
    url,
    /** Resolves to how it ended. */
    end: (signal) => {
      child.kill(signal)
      return exited
    },
  }
}

async function isOk(url) {
  return fetch(url).then(
    (reply) => reply.ok,
    () => false,
  )
}
