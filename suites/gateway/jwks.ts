import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/jwks',
  title: 'jwks',
  cases: [],
})
