import { createHash } from 'node:crypto'

/** Numbers and octets that follow from the seed and a label alone, whatever else runs beside. */
export interface Random {
  /** `length` octets that no earlier call gave. */
  readonly octets: (length: number) => Uint8Array
  /** 20 characters of hex that no earlier call gave. */
  readonly nonce: () => string
}

/** A stream of its own for every label. */
export function createRandom(seed: number, label: string): Random {
  let counter = 0
  const block = (): Buffer => {
    counter += 1
    return createHash('sha256').update(`${seed}\n${label}\n${counter}`).digest()
  }
  return {
    octets(length) {
      const blocks: Buffer[] = []
      for (let have = 0; have < length; have += 32) blocks.push(block())
      return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
    },
    nonce: () => block().toString('hex').slice(0, 20),
  }
}
