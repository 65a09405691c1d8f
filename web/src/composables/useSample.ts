// A voice to listen to: one sample at a time, spoken by the server.

import { computed, onScopeDispose, ref } from 'vue'
import { useServer } from '../stores/server'

/** What a voice says of itself, by its language; English for all others. */
const SENTENCES: Record<string, string> = {
  de: 'Hallo! So klinge ich, wenn wir miteinander sprechen.',
  en: 'Hello! This is how I sound when we talk.',
  es: '¡Hola! Así sueno cuando hablamos.',
  fr: 'Bonjour ! Voici ma voix quand nous parlons.',
  hi: 'नमस्ते! बात करते समय मेरी आवाज़ ऐसी है।',
  it: 'Ciao! Questa è la mia voce quando parliamo.',
  ja: 'こんにちは。お話しするときの声はこんな感じです。',
  pt: 'Olá! É assim que eu soo quando conversamos.',
  zh: '你好！我说话的声音就是这样的。',
}

export function useSample() {
  const server = useServer()
  const audio = new Audio()
  /** The voice that is being made or heard. */
  const voice = ref<string | null>(null)
  const failure = ref('')
  let url = ''

  async function listen(id: string, language: string): Promise<void> {
    stop()
    failure.value = ''
    voice.value = id
    try {
      const sound = await server.api.speak(id, SENTENCES[language.slice(0, 2)] ?? SENTENCES.en!)
      if (voice.value !== id) return
      url = URL.createObjectURL(sound)
      audio.src = url
      await audio.play()
    } catch (error) {
      if (voice.value !== id) return
      stop()
      failure.value = (error as Error).message
    }
  }

  function stop(): void {
    voice.value = null
    audio.pause()
    audio.removeAttribute('src')
    if (url) URL.revokeObjectURL(url)
    url = ''
  }

  audio.onended = stop
  onScopeDispose(stop)
  return { listen, stop, failure, isPlaying: computed(() => voice.value !== null) }
}
