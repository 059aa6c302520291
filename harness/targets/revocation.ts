import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'undici'
import type { ApiKey, KeyLocation } from '../model/gateway-profile.ts'

const POLL_MS = 20

/**
 * Revokes a key and waits until it is refused, on a new connection and on one that knew it, at most so long. What a
 * gateway takes to read its keys again passes no faster when its clock is moved; a key that goes on working after the
 * declared time is for cases to find.
 */
export async function revoking(
  url: string,
  { key }: ApiKey,
  { name, scheme }: KeyLocation,
  apply: () => Promise<void>,
  withinMs: number,
): Promise<void> {
  const { origin, pathname } = new URL(url)
  const headers = { [name]: scheme === undefined ? key : `${scheme} ${key}` }
  const knowing = new Client(origin)
  try {
    await statusOn(knowing, pathname, headers)
    await apply()
    const until = performance.now() + withinMs
    while (performance.now() < until) {
      const fresh = new Client(origin)
      const statuses = [await statusOn(fresh, pathname, headers), await statusOn(knowing, pathname, headers)]
      await fresh.destroy()
      if (statuses.every((status) => status === 401 || status === 403)) return
      await wait(POLL_MS)
    }
  } finally {
    await knowing.destroy()
  }
}

/** Status of one request; undefined where none came, as while a gateway reads its configuration again. */
async function statusOn(
  client: Client,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path, headers })
    await body.dump()
    return statusCode
  } catch {
    return undefined
  }
}
