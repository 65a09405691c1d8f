// Server events in short form, for scripts of a conversation.

export const userItem = (id: string, previous_item_id: string | null, transcript: string | null = null) => ({
  type: 'conversation.item.added' as const,
  previous_item_id,
  item: { id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_audio', transcript }] },
})
export const answerItem = (id: string, previous_item_id: string | null) => ({
  type: 'conversation.item.added' as const,
  previous_item_id,
  item: { id, type: 'message', role: 'assistant', status: 'in_progress', content: [] },
})
export const heard = (item_id: string, transcript: string) => ({
  type: 'conversation.item.input_audio_transcription.completed' as const,
  item_id,
  transcript,
})
export const hearing = (item_id: string, delta: string) => ({
  type: 'conversation.item.input_audio_transcription.delta' as const,
  item_id,
  delta,
})
export const says = (item_id: string, delta: string) => ({
  type: 'response.output_audio_transcript.delta' as const,
  item_id,
  delta,
})
export const created = (id: string) => ({ type: 'response.created' as const, response: { id, status: 'in_progress' } })
export const done = (id: string, status = 'completed') => ({ type: 'response.done' as const, response: { id, status } })
export const itemOf = (response_id: string, id: string) => ({
  type: 'response.output_item.added' as const,
  response_id,
  item: { id, type: 'message', role: 'assistant' },
})
export const writtenOut = (response_id: string, id: string, transcript: string) => ({
  type: 'response.output_item.done' as const,
  response_id,
  item: { id, type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_audio', transcript }] },
})
export const started = (response_id: string) => ({ type: 'output_audio_buffer.started' as const, response_id })
export const stopped = (response_id: string) => ({ type: 'output_audio_buffer.stopped' as const, response_id })
export const cleared = (response_id: string) => ({ type: 'output_audio_buffer.cleared' as const, response_id })
export const truncated = (item_id: string) => ({ type: 'conversation.item.truncated' as const, item_id, audio_end_ms: 900 })
export const retrieved = (id: string, transcript: string) => ({
  type: 'conversation.item.retrieved' as const,
  item: { id, type: 'message', role: 'assistant', content: [{ type: 'output_audio', transcript }] },
})
export const speechStarted = { type: 'input_audio_buffer.speech_started' as const, item_id: 'u' }
export const speechStopped = { type: 'input_audio_buffer.speech_stopped' as const, item_id: 'u' }
