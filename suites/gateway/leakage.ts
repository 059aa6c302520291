import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/leakage',
  title: 'leakage',
  cases: [],
})
