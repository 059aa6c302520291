import type { Socket } from 'node:net'

/** A socket to answer on, and whether the other side is still there. */
export interface Wire {
  readonly socket: Socket
  /** Aborted when the connection is closed. */
  readonly gone: AbortSignal
  /** Aborted when the other side has sent its last octet; it may still want to read. */
  readonly ended: AbortSignal
}

/** Writes and waits until the octets are with the system; false where the connection is gone. */
export function send({ socket }: Wire, octets: string | Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const buffer = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets
    if (socket.destroyed || !socket.writable) resolve(false)
    else socket.write(buffer, (error) => resolve(!error))
  })
}

/** Closes with RST; false where the connection is gone already. */
export function reset({ socket }: Wire): boolean {
  if (socket.destroyed) return false
  socket.resetAndDestroy()
  return true
}

/** Waits for that long; false where one of the signals comes first. */
export function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<boolean> {
  if (signals.some((signal) => signal.aborted)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const finish = (whole: boolean): void => {
      clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', cut)
      resolve(whole)
    }
    const cut = (): void => {
      finish(false)
    }
    const timer = setTimeout(finish, ms, true)
    for (const signal of signals) signal.addEventListener('abort', cut)
  })
}

/** Waits until one of the signals comes. */
export function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', finish)
      resolve()
    }
    if (signals.some((signal) => signal.aborted)) resolve()
    else for (const signal of signals) signal.addEventListener('abort', finish)
  })
}
