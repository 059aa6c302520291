/** Lines behind the chunks of one chunked answer, as it was received; none where it has no chunks. */
export function trailersIn(text: string): readonly string[] {
  const at = text.indexOf('\r\n\r\n')
  if (at < 0 || !/^transfer-encoding:[^\r\n]*\bchunked\b/imu.test(text.slice(0, at))) return []
  let rest = text.slice(at + 4)
  for (;;) {
    const [line, size = ''] = /^([\da-f]+)[^\r\n]*\r\n/iu.exec(rest) ?? []
    if (line === undefined) return []
    rest = rest.slice(line.length)
    const octets = Number.parseInt(size, 16)
    if (octets === 0) break
    if (rest.length < octets + 2) return []
    rest = rest.slice(octets + 2)
  }
  const lines: string[] = []
  for (const line of rest.split('\r\n')) {
    if (line === '') return lines
    lines.push(line)
  }
  return lines
}
