import { renderBadge } from './badge.ts'
import { renderCtrf } from './ctrf.ts'
import { renderHtml } from './html/page.ts'
import { renderJson } from './json.ts'
import { renderJunit } from './junit.ts'
import { renderMarkdown } from './markdown.ts'
import type { Renderer } from './rendering.ts'
import { renderSarif } from './sarif.ts'

interface Format {
  readonly render: Renderer
  /** Where it is written unless a file is named. */
  readonly file: string
}

/** Formats of --report by kind. */
export const FORMATS = {
  json: { render: renderJson, file: 'trustspec.json' },
  html: { render: renderHtml, file: 'trustspec.html' },
  junit: { render: renderJunit, file: 'trustspec.junit.xml' },
  sarif: { render: renderSarif, file: 'trustspec.sarif' },
  ctrf: { render: renderCtrf, file: 'trustspec.ctrf.json' },
  markdown: { render: renderMarkdown, file: 'trustspec.md' },
  badge: { render: renderBadge, file: 'trustspec.badge.json' },
} as const satisfies Readonly<Record<string, Format>>

/** What stands before the `=` of --report. */
export type FormatKind = keyof typeof FORMATS

/** All kinds, in the order of the help. */
export const FORMAT_KINDS = Object.keys(FORMATS) as readonly FormatKind[]
