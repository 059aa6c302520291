import { createHash } from 'node:crypto'
import { Markup, markup } from './escape.ts'
import { ICONS } from './theme.ts'

/** What a page is made of. Style and script are constants of this project. */
export interface Page {
  readonly title: string
  readonly style: string
  readonly script?: string
  readonly body: Markup
}

/** A whole page that loads nothing: its policy lets in the one style sheet and the one script that it brings along. */
export function documentOf({ title, style, script, body }: Page): string {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const head = [
    markup`<meta charset="utf-8">`,
    markup`<meta http-equiv="Content-Security-Policy" content="${Markup.trusted(policy)}">`,
    markup`<meta name="viewport" content="width=device-width, initial-scale=1">`,
    markup`<meta name="referrer" content="no-referrer">`,
    markup`<title>${title}</title>`,
    markup`<link rel="icon" href="data:,">`,
    // The hashes of the policy are those of exactly this text.
    markup`<style>${Markup.trusted(style)}</style>`,
  ].join('\n')
  const end = script === undefined ? '' : `<script>${script}</script>\n`
  return `<!doctype html>\n<html lang="en-GB">\n<head>\n${head}\n</head>\n<body>\n${ICONS.toString()}\n${body.toString()}\n${end}</body>\n</html>\n`
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
