import type { Subject } from '../model/case.ts'
import type { Given } from './args.ts'
import type { Common, Part } from './part.ts'
import type { Asked } from './subject.ts'

/** The part of a run that is about the subject; what only it needs is loaded with it. */
export async function partOf(
  given: Given,
  common: Common,
  subject: Subject,
  { settings }: Pick<Asked, 'settings'>,
): Promise<Part> {
  if (subject === 'origin') {
    const { originPart } = await import('./run-origin.ts')
    return await originPart(given, common, settings?.subject === subject ? settings.origin : undefined)
  }
  if (subject === 'gateway') {
    const { gatewayPart } = await import('./run-gateway.ts')
    return await gatewayPart(given, common, settings?.subject === subject ? settings.gateway : undefined)
  }
  const { chainPart } = await import('./run-chain.ts')
  return await chainPart(given, common, settings?.subject === subject ? settings : undefined)
}
