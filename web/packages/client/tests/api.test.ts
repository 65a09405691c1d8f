import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServerApi } from '../src/api'
import { fakeBrowser, reply, type FakeBrowser } from './fakes'

let browser: FakeBrowser
const api = new ServerApi('https://host/face', () => Promise.resolve('ek_1'))

beforeEach(() => {
  browser = fakeBrowser()
})
afterEach(() => vi.unstubAllGlobals())

const answer = (status: number, body: string, headers = {}) => browser.fetch.mockImplementation(() => Promise.resolve(reply(status, body, headers)))

describe('the interface of the server', () => {
  it('is asked with the token, below the base', async () => {
    answer(200, '{"object":"list","data":[{"id":"piper-joe"}]}')
    expect(await api.voices()).toEqual([{ id: 'piper-joe' }])
    expect(browser.fetch).toHaveBeenLastCalledWith('https://host/face/v1/voices', { headers: { Authorization: 'Bearer ek_1' } })
    expect(await api.models()).toHaveLength(1)
    expect(await api.avatars()).toHaveLength(1)
  })

  it('has addresses for pictures and clips, whatever the id holds', () => {
    expect(api.avatarPictureUrl('a/b?')).toBe('https://host/face/v1/avatars/a%2Fb%3F/picture')
    expect(api.avatarClipUrl('mascot')).toBe('https://host/face/v1/avatars/mascot/clip')
  })

  it('speaks a text, takes a photo, and forgets', async () => {
    answer(200, 'RIFF')
    expect((await api.speak('joe', 'Hello')).size).toBe(4)
    expect(JSON.parse(String(browser.fetch.mock.lastCall?.[1]?.body))).toEqual({ input: 'Hello', voice: 'joe', response_format: 'wav' })
    answer(201, '{"id":"portrait-1"}')
    const photo = new Blob(['jpeg'], { type: 'image/jpeg' })
    expect(await api.uploadPhoto(photo)).toEqual({ id: 'portrait-1' })
    expect(browser.fetch.mock.lastCall?.[1]?.body).toBe(photo)
    browser.fetch.mockResolvedValue(new Response(null, { status: 204 }))
    await api.deleteAvatar('portrait-1')
    await api.forget('c-1')
    expect(browser.fetch.mock.lastCall).toMatchObject(['https://host/face/v1/realtime/conversations/c-1', { method: 'DELETE' }])
  })

  it('says no with all that the server says of it', async () => {
    answer(503, '{"error":{"message":"Full.","code":"server_full","param":null}}', { 'Retry-After': '4' })
    await expect(api.status()).rejects.toMatchObject({ status: 503, code: 'server_full', message: 'Full.', retryAfterSeconds: 4 })
    answer(400, '{"error":{"message":"Two.","code":"several_faces","param":"photo"}}')
    await expect(api.uploadPhoto(new Blob())).rejects.toMatchObject({ code: 'several_faces', param: 'photo' })
  })

  it('says so when it is not there, or something else is', async () => {
    browser.fetch.mockRejectedValue(new TypeError('Failed to fetch'))
    await expect(api.status()).rejects.toMatchObject({ status: 0, code: 'unreachable' })
    answer(200, '<html>')
    await expect(api.status()).rejects.toMatchObject({ code: 'not_json' })
    answer(404, '<html>')
    await expect(api.voices()).rejects.toMatchObject({ status: 404, code: null, message: 'v1/voices: HTTP 404' })
  })
})
