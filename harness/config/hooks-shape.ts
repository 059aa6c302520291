import { url } from './common-shapes.ts'
import { either, listOf, mapOf, number, objectOf, oneOf, text } from './shape.ts'
import type { Shape } from './shape.ts'
import type { HooksConfig } from './hooks-config.ts'
import { WISH_VARIABLES } from './hooks-config.ts'

// A command line can be read by every process of the machine.
const command = text('a command that gets the key in the variable KEY, and has no {key} on its command line', {
  pattern: String.raw`^(?![\s\S]*(?<!\$)\{(?:key|KEY)\})`,
})

const WISHES = Object.keys(WISH_VARIABLES)

const timeoutSec = number('seconds from 0.1 to 600', 0.1, 600)

const pointer = text('a JSON pointer such as "/data/apiKey"', { pattern: '^(?:/.*)?$', shown: true, empty: true })

const COMMAND_FORM = '"a command", {"command": "…"} or {"url": "http://…"}'

const http = {
  url,
  method: text('a method such as POST', { pattern: '^[A-Z]+$', shown: true }),
  headers: mapOf(text('a text', { empty: true }), '{"Authorization": "Bearer ${ADMIN_TOKEN}"}'),
  body: either([text('a text', { empty: true }), mapOf(anything(), 'a JSON object')], 'a text or a JSON object'),
  timeoutSec,
}

function anything(): Shape {
  return { kind: 'any', says: 'anything', schema: {}, check: () => [] }
}

/** An action: a command or an HTTP call, with more members where it gives something back. */
function action(more: Readonly<Record<string, Shape>> = {}): readonly Shape[] {
  return [
    command,
    objectOf({ command, timeoutSec, ...more }, COMMAND_FORM, { required: ['command'], tag: 'command' }),
    objectOf({ ...http, ...more }, COMMAND_FORM, { required: ['url'], tag: 'url' }),
  ]
}

/** A hook of which nothing comes back but that it was done. */
export const ACTION = either(action(), COMMAND_FORM)

const issuing = either(
  action({
    wishes: listOf(oneOf(WISHES), `a list out of ${WISHES.join(', ')}`),
    result: objectOf(
      { key: pointer, consumer: pointer, subject: pointer, identity: pointer, id: pointer },
      '{"key": "/data/apiKey"}',
      {
        required: ['key'],
      },
    ),
  }),
  COMMAND_FORM,
)

/** A hook that takes something down and up again. */
export const OUTAGE = either(
  [
    ...action(),
    objectOf({ down: ACTION, up: ACTION }, '{"down": …, "up": …}', { required: ['down', 'up'], tag: 'down' }),
  ],
  `${COMMAND_FORM}, which gets ACTION=down or ACTION=up, or {"down": …, "up": …}`,
)

/** Hooks, one by one. */
export const hooksShape = objectOf<HooksConfig>(
  {
    issueKey: issuing,
    revokeKey: ACTION,
    rotateSigningKey: ACTION,
    revokeSigningKey: ACTION,
    restart: ACTION,
    keyStoreDown: OUTAGE,
    limitStoreDown: OUTAGE,
    signerDown: OUTAGE,
    logs: ACTION,
  },
  '{"issueKey": "./issue-key.sh", …}',
)
