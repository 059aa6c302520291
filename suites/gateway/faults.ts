import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/faults',
  title: 'faults',
  cases: [],
})
