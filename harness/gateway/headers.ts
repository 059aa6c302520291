/**
 * Header lines of a message that is passed on: in their order, case and number. Names compare without regard to
 * case. Lines are kept flat (name, value, name, value …), as node:http gives and undici takes them.
 */
export class Headers {
  readonly #lines: string[]
  /** Names in lower case, in step with every second line; made on first use. */
  #names: string[] | undefined

  /** Takes over the flat lines: nobody else may change them. */
  constructor(lines: string[]) {
    this.#lines = lines
  }

  /** The lines, flat. */
  get lines(): readonly string[] {
    return this.#lines
  }

  #lowered(): string[] {
    if (this.#names) return this.#names
    const names: string[] = []
    for (let at = 0; at < this.#lines.length; at += 2) names.push((this.#lines[at] ?? '').toLowerCase())
    this.#names = names
    return names
  }

  /** Names in lower case, one for each line. */
  get names(): readonly string[] {
    return this.#lowered()
  }

  /** Value of the first line of that name, given in lower case. */
  get(name: string): string | undefined {
    const at = this.#lowered().indexOf(name)
    return at < 0 ? undefined : this.#lines[at * 2 + 1]
  }

  /** Values of all lines of that name, given in lower case. */
  all(name: string): readonly string[] {
    const values: string[] = []
    const names = this.#lowered()
    for (let at = names.indexOf(name); at >= 0; at = names.indexOf(name, at + 1))
      values.push(this.#lines[at * 2 + 1] ?? '')
    return values
  }

  /** How many lines there are of that name, given in lower case. */
  count(name: string): number {
    let lines = 0
    for (const other of this.#lowered()) if (other === name) lines += 1
    return lines
  }

  has(name: string): boolean {
    return this.#lowered().includes(name)
  }

  /** Adds a line behind the others; a name in the case that it is to have. */
  add(name: string, value: string): void {
    this.#lines.push(name, value)
    this.#names?.push(name.toLowerCase())
  }

  /** One line of that name, in place of all that there were. */
  set(name: string, value: string): void {
    const lowered = name.toLowerCase()
    this.remove(lowered)
    this.#lines.push(name, value)
    this.#lowered().push(lowered)
  }

  /** Removes all lines of that name, given in lower case. */
  remove(name: string): void {
    const names = this.#lowered()
    for (let at = names.indexOf(name); at >= 0; at = names.indexOf(name, at)) {
      names.splice(at, 1)
      this.#lines.splice(at * 2, 2)
    }
  }

  /** Replaces the value of every line; undefined removes the line. */
  map(change: (name: string, value: string) => string | undefined): void {
    const names = this.#lowered()
    const lines = this.#lines
    let kept = 0
    // In place: this is done several times for every request.
    for (let at = 0; at < names.length; at += 1) {
      const name = names[at] ?? ''
      const value = change(name, lines[at * 2 + 1] ?? '')
      if (value === undefined) continue
      names[kept] = name
      lines[kept * 2] = lines[at * 2] ?? ''
      lines[kept * 2 + 1] = value
      kept += 1
    }
    names.length = kept
    lines.length = kept * 2
  }

  /** Keeps the lines whose name, in lower case, passes. */
  keep(passes: (name: string, value: string) => boolean): void {
    this.map((name, value) => (passes(name, value) ? value : undefined))
  }
}
