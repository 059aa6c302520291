import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/rate-limits',
  title: 'rate-limits',
  cases: [],
})
