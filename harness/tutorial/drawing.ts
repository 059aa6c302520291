import type { HeaderLines } from '../model/http.ts'
import { paint } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import type { Hop, Station } from './stage.ts'

/** The path, station by station. */
const PATH: readonly Station[] = ['caller', 'gateway', 'origin', 'issuer']

/** Columns of an arrow. */
const ARROW = 13

/** Columns of the whole picture. */
const PICTURE = 2 + PATH.join('').length + (PATH.length - 1) * (ARROW + 2)

/** Lines about the connection and the copy, not about what is asked and answered. */
const QUIET = new Set([
  'accept-encoding',
  'accept-language',
  'connection',
  'content-length',
  'date',
  'etag',
  'keep-alive',
  'sec-fetch-mode',
  'transfer-encoding',
])

/** The path with what travelled: the credential over each hop, and the status that came back. Narrow terminals: none. */
export function pictureOf(hops: readonly Hop[], style: Style, width: number): readonly string[] {
  if (width < PICTURE) return []
  const rows = { over: '  ', there: '  ', back: '  ' }
  for (const [at, station] of PATH.entries()) {
    rows.over += ' '.repeat(station.length)
    rows.back += ' '.repeat(station.length)
    rows.there += paint(style, 'bold', station)
    const next = PATH[at + 1]
    if (next === undefined) continue
    const hop = hops.findLast(({ from, to }) => from === station && to === next)
    rows.over += ` ${centred(hop ? carriedBy(hop) : '', ' ')} `
    rows.there += ` ${hop ? `${'─'.repeat(ARROW - 1)}▶` : paint(style, 'dim', '·'.repeat(ARROW))} `
    rows.back += ` ${hop ? statusArrow(hop.status, style) : ' '.repeat(ARROW)} `
  }
  return [rows.over, rows.there, rows.back].map((row) => row.trimEnd())
}

/** One hop in words: what was asked with which header lines, what came back, and the token that travelled. */
export function hopLines(hop: Hop, style: Style, width: number): readonly string[] {
  const { from, to, request, headers, status, answerHeaders, answerBody, token } = hop
  const cut = (line: string, indent: string): readonly string[] =>
    clipped(line, width - indent.length).map((part, at) => `${indent}${at === 0 ? '' : '  '}${part}`)
  const answer = status === 0 ? 'no answer' : String(status)
  const [first = '', ...more] = cut(`${from} → ${to}  ${request}`, '  ')
  return [
    first.replace(`${from} → ${to}`, (names) => paint(style, 'bold', names)),
    ...more,
    ...headerLines(headers).flatMap((line) => cut(line, '    ')),
    ...(token ? tokenLines(token).flatMap((line) => cut(line, '    ')) : []),
    `  ${paint(style, 'bold', `${from} ← ${to}`)}  ${paint(style, colourOf(status), answer)}`,
    ...headerLines(answerHeaders).flatMap((line) => cut(line, '    ')),
    ...(answerBody === '' ? [] : cut(answerBody.trim(), '    ').map((line) => paint(style, 'dim', line))),
  ]
}

/** The line in parts that are not longer than the width; further ones leave room for two columns of indent. */
export function clipped(line: string, width: number): readonly string[] {
  const parts: string[] = []
  let rest = line
  while (rest.length > (parts.length === 0 ? width : width - 2)) {
    const most = parts.length === 0 ? width : width - 2
    const space = rest.lastIndexOf(' ', most)
    const at = space > most / 2 ? space : most
    parts.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  return [...parts, rest]
}

function headerLines(lines: HeaderLines): readonly string[] {
  const told = lines.filter(([name]) => !QUIET.has(name.toLowerCase()))
  const longest = Math.max(0, ...told.map(([name]) => name.length))
  return told.map(([name, value]) => `${name.padEnd(longest)}  ${value}`)
}

/** Header and claims of a token; times in words beside their numbers. */
function tokenLines({ header, claims }: NonNullable<Hop['token']>): readonly string[] {
  const members = Object.entries(claims as Readonly<Record<string, unknown>>)
  const longest = Math.max(0, ...members.map(([name]) => name.length))
  return [
    `└ token header  ${JSON.stringify(header)}`,
    ...members.map(([name, value], at) => {
      const label = at === 0 ? '  token claims  ' : ' '.repeat(16)
      return `${label}${name.padEnd(longest)}  ${JSON.stringify(value)}${timeOf(name, value)}`
    }),
  ]
}

function timeOf(name: string, value: unknown): string {
  if (!['exp', 'iat', 'nbf'].includes(name) || typeof value !== 'number') return ''
  return `  (${new Date(value * 1000).toISOString().slice(11, 19)} UTC)`
}

/** The credential that the caller of a hop sent, in a word. */
function carriedBy({ headers, to, token }: Hop): string {
  if (to === 'issuer') return 'fetches keys'
  if (token) return `JWT, ${String((token.header as { readonly alg?: unknown }).alg)}`
  return headers.some(([name]) => name.toLowerCase() === 'authorization') ? 'API key' : 'nothing'
}

function statusArrow(status: number, style: Style): string {
  const text = status === 0 ? ' ✕ ' : ` ${status} `
  const line = '─'.repeat(ARROW - 1 - text.length)
  return `◀${line.slice(0, 4)}${paint(style, colourOf(status), text)}${line.slice(4)}`
}

function colourOf(status: number): 'green' | 'red' {
  return status >= 200 && status < 400 ? 'green' : 'red'
}

function centred(text: string, fill: string): string {
  const left = Math.floor((ARROW - text.length) / 2)
  return text.padStart(text.length + Math.max(0, left), fill).padEnd(ARROW, fill)
}
