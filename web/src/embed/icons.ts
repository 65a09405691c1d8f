// The icons of the element, drawn on a 24 x 24 grid; each stands in a button that has a label.

const MICROPHONE = 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3'

const LINES = {
  microphone: MICROPHONE,
  microphoneOff: `${MICROPHONE}M4 4l16 16`,
  send: 'M12 19V5.5M6 11.3l6-6 6 6',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  sound: 'M4 9.5v5h3.5l4.5 4v-13l-4.5 4H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18.2 6.3a8 8 0 0 1 0 11.4',
  alert: 'M12 8v5M12 16.5v.1M10.3 4.3 2.9 17.2A2 2 0 0 0 4.6 20.2h14.8a2 2 0 0 0 1.7-3L13.7 4.3a2 2 0 0 0-3.4 0Z',
}

const SHAPES = {
  call: 'M7.2 3.6 4.9 4.4A2.6 2.6 0 0 0 3.2 7c.5 7.3 6.5 13.3 13.8 13.8a2.6 2.6 0 0 0 2.6-1.7l.8-2.3a1.2 1.2 0 0 0-.6-1.5l-3.3-1.6a1.2 1.2 0 0 0-1.4.3l-1.3 1.5a12.3 12.3 0 0 1-5.3-5.3L10 8.9a1.2 1.2 0 0 0 .3-1.4L8.7 4.2a1.2 1.2 0 0 0-1.5-.6Z',
  hangUp:
    'M12 8.4c-3.1 0-6 .9-8.2 2.5-1.1.8-1.5 2.2-1.1 3.5l.5 1.5c.2.6.8 1 1.4.8l3.2-.7c.6-.1 1-.6 1-1.2v-2a13.5 13.5 0 0 1 6.4 0v2c0 .6.4 1.1 1 1.2l3.2.7c.6.2 1.2-.2 1.4-.8l.5-1.5c.4-1.3 0-2.7-1.1-3.5A14 14 0 0 0 12 8.4Z',
  face: 'M2.6 25.7c.4-4.8 3.2-6.7 6.7-7.3.7-.1 1-.6 1-1.2v-1.1h3.4v1.1c0 .6.3 1.1 1 1.2 3.5.6 6.3 2.5 6.7 7.3ZM12 5c3.1 0 4.8 2.2 4.8 5.4 0 3.8-2.3 7-4.8 7s-4.8-3.2-4.8-7C7.2 7.2 8.9 5 12 5Z',
}

export type Icon = keyof typeof LINES | keyof typeof SHAPES

const SVG = 'http://www.w3.org/2000/svg'

/** Made without markup, so that a page that asks for Trusted Types takes it. */
export function icon(name: Icon): SVGSVGElement {
  const isLine = name in LINES
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', { ...LINES, ...SHAPES }[name])
  path.setAttribute(isLine ? 'stroke' : 'fill', 'currentColor')
  const svg = document.createElementNS(SVG, 'svg')
  const attributes = { viewBox: '0 0 24 24', fill: 'none', 'stroke-width': '1.9', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }
  for (const [key, value] of Object.entries({ ...attributes, 'aria-hidden': 'true', class: 'icon' })) svg.setAttribute(key, value)
  svg.append(path)
  return svg
}
