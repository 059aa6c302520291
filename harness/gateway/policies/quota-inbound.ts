import { seconds } from '../limits/fields.ts'
import { whenThere } from '../limits/maybe.ts'
import { amountOf, keepUsage, metersOf } from '../limits/meters.ts'
import { createOutage } from '../limits/outage.ts'
import { PERIODS, periodAround } from '../limits/period.ts'
import { createFindQuota, createOwnAnchor } from '../limits/quota.ts'
import type { Quota, QuotaOptions } from '../limits/quota.ts'
import { isStatusIn, statusList } from '../limits/statuses.ts'
import { mapOf, numberFrom, objectOf, oneOf, text } from '../options.ts'
import type { Inbound, Meters, PolicyContext, PolicyKind, Reserved } from '../policy.ts'
import { problem } from '../reply.ts'
import type { Problem } from '../reply.ts'
import type { GatewayRequest } from '../request.ts'

type Refused = Problem | undefined

/** Limits what a caller uses in an hour, a day, a week or a month; only answers of some statuses count. */
export const quotaInbound: PolicyKind = {
  type: 'quota-inbound',
  exported: 'QuotaInboundPolicy',
  options: {
    known: {
      period: oneOf(...PERIODS),
      quotaBy: oneOf('user', 'function'),
      quotaAnchorMode: oneOf('first-api-call', 'function'),
      allowances: mapOf(numberFrom(0)),
      quotaOnStatusCodes: statusList,
      identifier: objectOf({ module: text, getAnchorDateExport: text, getQuotaDetailExport: text }, ['module']),
    },
    required: ['period', 'quotaBy'],
  },
  create: (options, context) => createQuota(options as unknown as QuotaOptions, context),
}

function createQuota(options: QuotaOptions, context: PolicyContext): Inbound {
  const { period, quotaOnStatusCodes = '200-299' } = options
  const { quotas, clock, name } = context
  const findQuota = createFindQuota(options, context)
  const ownAnchor = createOwnAnchor(options, context)
  const counts = isStatusIn(quotaOnStatusCodes)
  const outage = createOutage('quota-store', context)
  const prefix = JSON.stringify(name)

  // Nothing documented says what a quota does without its store: what cannot be counted is not let through.
  const failed = (error: unknown): Problem => {
    outage.away(error)
    return problem(503, { detail: 'The quota cannot be checked' })
  }

  const asked = <T>(ask: () => T | Promise<T>, next: (answer: T) => Refused | Promise<Refused>) => {
    let answer: T | Promise<T>
    try {
      answer = ask()
    } catch (error) {
      return failed(error)
    }
    const there = (value: T) => {
      outage.back()
      return next(value)
    }
    return answer instanceof Promise ? answer.then(there, failed) : there(answer)
  }

  const give = async (key: string, startMs: number, change: Meters): Promise<void> => {
    try {
      await quotas.add(key, startMs, change)
    } catch (error) {
      outage.away(error)
    }
  }

  const judged = (
    request: GatewayRequest,
    quota: Quota & { readonly anchorMs: number; readonly reserved: Meters },
    { allowed, startMs, used }: Reserved,
  ): Refused => {
    const { key, allowances, anchorMs, reserved } = quota
    const { endMs } = periodAround(period, anchorMs, startMs)
    const [anchorDate, nextResetDate] = [new Date(anchorMs).toISOString(), new Date(endMs).toISOString()]
    keepUsage(request, name, { anchorDate, nextResetDate, meters: used })
    if (!allowed) {
      const isHopeless = Object.entries(allowances).some(
        ([meter, most]) => most === 0 || amountOf(reserved, meter) > most,
      )
      return problem(429, {
        detail: isHopeless ? 'The request needs more than the quota ever allows' : 'Quota exceeded',
        headers: isHopeless ? [] : [['Retry-After', String(seconds(endMs - clock.nowMs()))]],
      })
    }
    // Counted on the answer alone, any number of requests at once would see a quota that is not used up. So each is
    // reserved when it comes, and given back when its answer does not count. One whose caller goes away before there
    // is an answer stays counted: the origin may have done the work.
    let isOpen = true
    request.onStatus.push((status) => {
      if (!isOpen) return
      isOpen = false
      const change = difference(counts(status) ? metersOf(request) : {}, reserved)
      if (Object.keys(change).length > 0) void give(key, startMs, change)
    })
    return undefined
  }

  const counted = (request: GatewayRequest, quota: Quota, anchorMs: number): Refused | Promise<Refused> => {
    const key = `${prefix} ${quota.key}`
    const reserved = metersOf(request)
    const span = periodAround(period, anchorMs, clock.nowMs())
    return asked(
      () => quotas.reserve({ key, ...span, meters: reserved, allowances: quota.allowances }),
      (answer) => judged(request, { ...quota, key, anchorMs, reserved }, answer),
    )
  }

  return (request) =>
    whenThere(findQuota(request), (quota) => {
      if ('problem' in quota) return quota
      if (!ownAnchor) {
        return asked(
          () => quotas.anchor(`${prefix} ${quota.key}`, Math.floor(clock.nowMs())),
          (anchorMs) => counted(request, quota, anchorMs),
        )
      }
      return whenThere(ownAnchor(request), (anchorMs) =>
        typeof anchorMs === 'number' ? counted(request, quota, anchorMs) : anchorMs,
      )
    })
}

/** What has to be added to come from one to the other; meters without a difference are left out. */
function difference(to: Meters, from: Meters): Meters {
  const meters = new Set([...Object.keys(to), ...Object.keys(from)])
  return Object.fromEntries(
    [...meters]
      .map((meter) => [meter, amountOf(to, meter) - amountOf(from, meter)] as const)
      .filter(([, by]) => by !== 0),
  )
}
