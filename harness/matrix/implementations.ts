import type { MatrixColumn } from '../report/matrix/model.ts'
import { bundledOrigins } from '../targets/bundled.ts'
import { gatewayFixtures } from '../targets/gateway-fixtures.ts'

/** Name of the columns of the reference origin and the reference gateway. */
export const REFERENCE = 'reference'

/** What docs/matrix.* compares, in the order of its columns; links are relative to docs. */
export function implementations(): readonly Omit<MatrixColumn, 'cells'>[] {
  return [
    {
      name: REFERENCE,
      subject: 'origin',
      about: 'The reference origin, on which the cases are proven',
      href: '../harness/origin',
    },
    ...bundledOrigins().map(({ name, description }) => ({
      name,
      subject: 'origin' as const,
      about: description,
      href: `../origins/${name}/README.md`,
    })),
    {
      name: REFERENCE,
      subject: 'gateway',
      about: 'The reference gateway, on which the cases are proven',
      href: 'gateway.md',
    },
    ...gatewayFixtures().map(({ name, title, version }) => ({
      name,
      subject: 'gateway' as const,
      about: `${version}; ${title.replace(/^[^:]+: /u, '')}`,
      href: `../fixtures/gateways/${name}/README.md`,
    })),
  ]
}
