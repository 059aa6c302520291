import { ALGORITHMS } from '../model/token.ts'
import { flag, listOf, number, objectOf, oneOf, text } from './shape.ts'
import type { Shape } from './shape.ts'

/** A text that is not empty. */
export const words = text('a text that is not empty')

/** A path on a host. */
export const pathText = text('a path that begins with /', { pattern: '^/', shown: true })

/** JSON pointer, RFC 6901. */
export const pointer = text('a JSON pointer such as "/sub"', { pattern: '^/', shown: true })

/** URL of an HTTP server, without credentials in it. */
export const url = text('a URL that starts with http:// or https://, without credentials in it', {
  pattern: '^https?://[^/?#@\\s]+(?:[/?#]|$)',
  test: (value) => URL.canParse(value),
})

/** A length of time. */
export const seconds = number('seconds as a number, 0 or more', 0)

/** A port to listen on. */
export const port = number('a port: a whole number from 1 to 65535', 1, 65_535, 'whole')

/** A count that is not zero. */
export const amount = number('a whole number, 1 or more', 1, undefined, 'whole')

/** Status of a refusal. */
export const status = number('a status: a whole number from 400 to 599', 400, 599, 'whole')

/** Either of both. */
export const yesOrNo = flag()

/** A list of texts. */
export function texts(least: number): Shape {
  return listOf(words, `a list of ${least} texts or more`, least)
}

/** Signing algorithms. */
export const algorithms = listOf(
  oneOf(ALGORITHMS, `an algorithm out of ${ALGORITHMS.join(', ')}`),
  `a list of algorithms out of ${ALGORITHMS.join(', ')}`,
  1,
)

/** Where a token travels. */
export const tokenPlace = objectOf(
  { header: words, scheme: text('a scheme such as "Bearer", or "" for none', { empty: true }) },
  '{"header": "Authorization", "scheme": "Bearer"}',
  { required: ['header', 'scheme'] },
)

/** Header lines in order. */
export const headerLines = listOf(listOf(words, 'a pair ["Name", "value"]', 2, 2), 'a list of pairs ["Name", "value"]')

/** A body with its media type. */
export const body = objectOf({ contentType: words, text: words }, '{"contentType": "application/json", "text": "{}"}', {
  required: ['contentType', 'text'],
})
