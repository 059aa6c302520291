import { describe, expect, test } from 'vitest'
import { escaped, link, markup } from './escape.ts'

describe('escaping', () => {
  test('leaves nothing that a browser obeys', () => {
    expect(escaped(`<b a="c" d='e'>&amp;`)).toBe('&lt;b a=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;')
    expect(escaped('a\u0000b\u001b\u007f\u0085\u202e\ud800')).toBe('a\u2400b\u241b\u2421[U+0085][U+202E][U+D800]')
    expect(escaped('line\r\nline\ttab \u00e9 \u{1f600}')).toBe('line\nline\ttab \u00e9 \u{1f600}')
  })

  test('templates escape values, and keep markup, lists and nothing', () => {
    expect(markup`<p>${'<'}${[markup`<b>${'&'}</b>`, 1, undefined, false]}</p>`.toString()).toBe(
      '<p>&lt;<b>&amp;</b>1</p>',
    )
  })

  test('links lead to the web alone', () => {
    expect(link('https://example.com/?a="b"', 'x').toString()).toBe(
      '<a href="https://example.com/?a=&quot;b&quot;" rel="noreferrer">x</a>',
    )
    expect(link('javascript:alert(1)', '<x>').toString()).toBe('&lt;x&gt;')
  })
})
