import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/token',
  title: 'token',
  cases: [],
})
