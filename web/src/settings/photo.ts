// PURE: which words tell why no portrait was made of a photo.

import { ApiError } from '@visavis/client'

const KNOWN = [
  'no_face',
  'several_faces',
  'face_too_small',
  'face_turned',
  'face_cut_off',
  'face_hidden',
  'eyes_shut',
  'too_blurred',
  'picture_too_small',
  'picture_too_large',
  'not_a_picture',
] as const

export type PhotoProblem = (typeof KNOWN)[number] | 'unreachable' | 'busy' | 'other'

export function photoProblem(error: unknown): { key: PhotoProblem; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  return { key: keyOf(error), message }
}

function keyOf(error: unknown): PhotoProblem {
  if (!(error instanceof ApiError)) return 'other'
  if (error.status === 0) return 'unreachable'
  if (error.status === 413) return 'picture_too_large'
  if (error.status === 503) return 'busy'
  return KNOWN.find((code) => code === error.code) ?? 'other'
}
