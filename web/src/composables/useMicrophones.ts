// The microphones of this device, kept up to date as they are plugged in and out. Their names are known only to a page that
// may use them.

import { onScopeDispose, readonly, shallowRef } from 'vue'

export function useMicrophones() {
  /** Null until they are known. */
  const devices = shallowRef<readonly MediaDeviceInfo[] | null>(null)
  // Missing on pages without HTTPS.
  const media = navigator.mediaDevices as MediaDevices | undefined

  async function refresh() {
    const all = (await media?.enumerateDevices().catch(() => [])) ?? []
    devices.value = all.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '')
  }

  void refresh()

  media?.addEventListener?.('devicechange', refresh)
  onScopeDispose(() => media?.removeEventListener?.('devicechange', refresh))
  return { devices: readonly(devices), refresh }
}
