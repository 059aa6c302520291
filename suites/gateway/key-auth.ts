import { defineSuite } from '../../harness/model/case.ts'

export default defineSuite({
  id: 'gateway/key-auth',
  title: 'API key authentication',
  cases: [
    {
      id: 'control-valid',
      title: 'forwards a request with a valid key once, with one gateway token',
      level: 'MUST',
      clause: ['owasp/api2'],
      needs: ['key'],
      rationale: 'A gateway that refuses everything would pass every test of what it must refuse.',
      remedy: 'Forward requests with a valid key to the origin, each with a token that the gateway signed.',
      async run({ forwards, verify, judge, keys, profile }) {
        for (const [at, key] of keys.entries()) {
          for (const location of profile.keyLocations) {
            for (const method of profile.routes[0].methods) {
              const stimulus = `${method} with key ${at + 1} in the ${location.in} ${location.name}`
              const { arrivals } = await forwards({ key, location, method }, stimulus)
              for (const arrival of arrivals()) {
                const { problems } = await verify(arrival)
                judge(problems.length === 0, {
                  stimulus,
                  expected: 'one valid gateway token',
                  observed: problems.map(({ detail }) => detail).join('; '),
                })
              }
            }
          }
        }
      },
    },
    {
      id: 'missing',
      title: 'refuses a request without a key, and does not forward it',
      level: 'MUST',
      clause: ['owasp/api2'],
      needs: ['key'],
      rationale: 'Who needs no key needs no account, and cannot be told apart, limited or shut out.',
      remedy: 'Refuse with 401 before anything is forwarded when a request carries no key.',
      async run({ refuses, profile }) {
        for (const route of profile.routes) {
          await refuses({ key: null, route }, `${route.methods[0]} ${route.path} without a key`, 'any-4xx')
        }
      },
    },
  ],
})
