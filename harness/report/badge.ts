import type { Report } from '../model/result.ts'
import type { Renderer, Rendering } from './rendering.ts'
import { standingOf } from './standing.ts'
import type { Standing } from './standing.ts'

/** What a badge of shields.io shows, for its endpoint. */
interface Badge {
  readonly schemaVersion: 1
  readonly label: string
  readonly message: string
  readonly color: 'brightgreen' | 'green' | 'orange' | 'red' | 'lightgrey'
  /** The badge tells of a run that could judge nothing. */
  readonly isError: boolean
}

/** JSON for the endpoint badge of shields.io: requirements proven, or how many are broken. */
export const renderBadge: Renderer = (rendering) => `${JSON.stringify(badgeOf(rendering), undefined, 2)}\n`

function badgeOf({ reports, exit }: Rendering): Badge {
  const label = reports.length === 1 ? `trustspec ${reports[0]?.subject}` : 'trustspec'
  const badge = (message: string, color: Badge['color'], isError = false): Badge => ({
    schemaVersion: 1,
    label,
    message,
    color,
    isError,
  })
  const must = reports.flatMap(({ cases }) => cases.filter(({ level }) => level === 'MUST'))
  const met = must.filter(({ verdict }) => verdict === 'pass').length
  const proven = must.length === 0 ? 'conforms' : `${met} of ${must.length} proven`
  if (exit.code === 0) return badge(proven, met === must.length ? 'brightgreen' : 'green')
  const broken = numberOf(reports, 'failed')
  if (broken > 0) return badge(`${broken} broken`, 'red')
  if (met === 0) return badge('nothing proven', 'lightgrey', true)
  const unclear = numberOf(reports, 'unclear')
  return unclear > 0 ? badge(`${unclear} not established`, 'orange') : badge(`${proven}, failing`, 'red')
}

function numberOf(reports: readonly Report[], standing: Standing): number {
  return reports.reduce((sum, { cases }) => sum + cases.filter((one) => standingOf(one) === standing).length, 0)
}
