import { defineSuite } from '../../harness/model/case.ts'
import { crossingCases } from '../handover/crossing.ts'
import { directCases } from '../handover/direct.ts'
import { expiryCases } from '../handover/expiry.ts'
import { instanceCases } from '../handover/instances.ts'
import { outageCases } from '../handover/outage.ts'
import { restartCases } from '../handover/restart.ts'
import { rotationCases } from '../handover/rotation.ts'
import { skewCases } from '../handover/skew.ts'

export default defineSuite<'chain'>({
  id: 'chain',
  title: 'Gateway and origin together',
  cases: [
    ...crossingCases,
    ...directCases,
    ...expiryCases,
    ...rotationCases,
    ...outageCases,
    ...skewCases,
    ...restartCases,
    ...instanceCases,
  ],
})
