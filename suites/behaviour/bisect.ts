/**
 * The smallest whole number of `from` to `most` for which `holds` is true, which stays true above it: by doubling,
 * then by halves. Undefined where it holds nowhere.
 */
export async function smallest(
  from: number,
  most: number,
  holds: (value: number) => Promise<boolean>,
): Promise<number | undefined> {
  if (await holds(from)) return from
  let low = from
  let high = from + 1
  while (!(await holds(high))) {
    low = high
    if (high >= most) return undefined
    high = Math.min(most, from + 2 * (high - from))
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await holds(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * Seconds since a fetch after which `ask` causes the next one, to the second: time goes forward only, so every
 * attempt that is too early is let run until the fetch comes. Undefined where none comes within `most` seconds.
 */
export async function secondsUntilFetch({
  elapse,
  ask,
  most,
}: {
  readonly elapse: (seconds: number) => Promise<void>
  /** Whether a request that may cause a fetch did. */
  readonly ask: () => Promise<boolean>
  readonly most: number
}): Promise<number | undefined> {
  let low = 0
  let high = 1
  await elapse(high)
  while (!(await ask())) {
    if (high >= most) return undefined
    await elapse(high)
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    await elapse(middle)
    if (await ask()) high = middle
    else {
      low = middle
      await elapse(high - middle)
      // The fetch that ends this attempt and begins the next one.
      if (!(await ask())) low = high
    }
  }
  return high
}
