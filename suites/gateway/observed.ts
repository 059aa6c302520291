import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/observed',
  title: 'Recorded behaviour of gateways',
  cases: [],
})
