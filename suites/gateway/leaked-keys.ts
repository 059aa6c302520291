import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/leaked-keys',
  title: 'leaked-keys',
  cases: [],
})
