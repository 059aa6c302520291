import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/spoofing',
  title: 'spoofing',
  cases: [],
})
