import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Docker } from './docker.ts'
import { isAlive } from '../lock/alive.ts'

/** Label of all that a run starts; its value is the id of the run. */
export const RUN_LABEL = 'dev.trustspec.run'

const PROJECT_LABEL = 'com.docker.compose.project'

/** Prefix, machine, process, start of the process, and what tells two runs of one process apart. */
const RUN_ID = /^trustspec-([\da-f]{6})-(\d+)-(\d+)-[\da-f]{6}$/u

/** An id by which any later run can tell whether the process of this one still lives. */
export function newRunId(): string {
  return `trustspec-${machine()}-${process.pid}-${startOf(process.pid) ?? 0}-${randomBytes(3).toString('hex')}`
}

/** Whether the run has ended. Runs of other machines on the same engine count as alive: nobody here can tell. */
export function isOver(id: string): boolean {
  const [, where, pid, start] = RUN_ID.exec(id) ?? []
  if (where !== machine()) return false
  // A process id is given out again, its start is not.
  return startOf(Number(pid)) !== Number(start)
}

function machine(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 6)
}

/** When a process started, field 22 of /proc/PID/stat; 0 where there is no /proc, undefined when it has ended. */
function startOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return isAlive(pid) ? 0 : undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  } catch {
    return undefined
  }
}

/** Removes containers, networks and volumes of the runs that `mine` picks; gives how many containers there were. */
export async function sweep({ client }: Docker, mine: (id: string) => boolean): Promise<number> {
  const { dockerode } = client.container
  const isMine = (labels: Readonly<Record<string, string>> | null | undefined): boolean => {
    const id = labels?.[RUN_LABEL] ?? labels?.[PROJECT_LABEL] ?? ''
    return RUN_ID.test(id) && mine(id)
  }
  const containers = (await dockerode.listContainers({ all: true })).filter(({ Labels }) => isMine(Labels))
  await Promise.all(containers.map(({ Id }) => gone(dockerode.getContainer(Id).remove({ force: true, v: true }))))
  const networks = (await dockerode.listNetworks()).filter(({ Labels }) => isMine(Labels))
  await Promise.all(networks.map(({ Id }) => gone(dockerode.getNetwork(Id).remove())))
  const { Volumes: volumes } = await dockerode.listVolumes()
  const own = volumes.filter(({ Labels }) => isMine(Labels))
  await Promise.all(own.map(({ Name }) => gone(dockerode.getVolume(Name).remove())))
  return containers.length
}

/** Another sweep may be at the same work, and what a container that is being removed holds goes with the next. */
async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
    if (status !== 404 && status !== 409 && status !== 403) throw error
  }
}
