import { readdirSync, readFileSync } from 'node:fs'

/** Octets of resident memory of a process group by the /proc of Linux; undefined where there is none. */
export function residentOctets(group: number | undefined): number | undefined {
  if (group === undefined || process.platform !== 'linux') return undefined
  const members = readdirSync('/proc').filter((name) => /^\d+$/u.test(name) && groupOf(name) === group)
  return members.reduce((sum, pid) => sum + octetsOf(pid), 0)
}

/** Process group, field 5 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses. */
function groupOf(pid: string): number | undefined {
  const stat = read(`/proc/${pid}/stat`)
  const after = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return after[2] === undefined ? undefined : Number(after[2])
}

function octetsOf(pid: string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/mu.exec(read(`/proc/${pid}/status`))?.[1]
  return Number(kilobytes ?? 0) * 1024
}

/** Empty for a process that has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
