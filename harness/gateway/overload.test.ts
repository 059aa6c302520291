import { describe, expect, test } from 'vitest'
import { dial } from '../capture/dial.testing.ts'
import { createAdmission } from './admission.ts'
import {
  doing,
  exchangeOctets,
  GUARDED,
  metricsOf,
  requestText,
  route,
  statusesIn,
  statusIn,
  testGateway,
} from './gateway.testing.ts'
import type { TestGateway } from './gateway.testing.ts'
import { DEFAULT_LIMITS } from './server.ts'

const bearer = (key: string): string => `Authorization: Bearer ${key}`

const send = (one: TestGateway, first = 'GET /public/x') => exchangeOctets(one.port, requestText(first))

const gauge = async (one: TestGateway, name: string) =>
  Number(new RegExp(`^${name} (\\d+)$`, 'mu').exec(await metricsOf(one))?.[1])

const waiting = (one: TestGateway) => gauge(one, 'gateway_requests_waiting')

describe('overload', () => {
  test('so many are at the origin at once, so many wait, the rest is told to come back', async () => {
    await using one = await testGateway({ limits: { concurrency: 2, queue: 1, queueMs: 60_000 } })
    using hold = one.origin.hold()
    const first = [send(one), send(one)]
    await hold.reached(2, 2_000)
    const third = send(one)
    await expect.poll(() => waiting(one), { interval: 5 }).toBe(1)
    const refused = await send(one)
    expect(statusIn(refused)).toBe(503)
    expect(refused).toMatch(/^Retry-After: 1\r$/mu)
    expect(await gauge(one, 'gateway_requests_active')).toBe(2)
    hold.open()

    expect((await Promise.all([...first, third])).map(statusIn)).toEqual([200, 200, 200])
    expect(statusIn(await send(one))).toBe(200)
    expect(hold.most()).toBe(2)
    expect([await gauge(one, 'gateway_requests_active'), await waiting(one)]).toEqual([0, 0])
  })

  test('who waits is let in in order', async () => {
    await using one = await testGateway({ limits: { concurrency: 1, queue: 8 } })
    using hold = one.origin.hold()
    const asked: Promise<string>[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      asked.push(send(one, `GET /public/${name}`))
      if (name === 'a') await hold.reached(1, 2_000)
      else await expect.poll(() => waiting(one), { interval: 5 }).toBe(asked.length - 1)
    }
    hold.open()
    await Promise.all(asked)

    expect(one.origin.all().map(({ target }) => target)).toEqual(['a', 'b', 'c', 'd'].map((name) => `/public/${name}`))
    expect(hold.most()).toBe(1)
  })

  test('who waits too long is told so, and leaves its place to others', async () => {
    await using one = await testGateway({ limits: { concurrency: 1, queue: 1, queueMs: 50 } })
    using hold = one.origin.hold()
    const first = send(one)
    await hold.reached(1, 2_000)

    expect([statusIn(await send(one)), statusIn(await send(one))]).toEqual([503, 503])
    hold.open()
    expect(statusIn(await first)).toBe(200)
    expect(one.origin.all()).toHaveLength(1)
  })

  test('who goes away while it waits leaves its place at once, and never reaches the origin', async () => {
    await using one = await testGateway({ limits: { concurrency: 1, queue: 1, queueMs: 60_000 } })
    using hold = one.origin.hold()
    const first = send(one)
    await hold.reached(1, 2_000)
    await using impatient = await dial(one.port)
    impatient.send(requestText('GET /public/impatient'))
    await expect.poll(() => waiting(one), { interval: 5 }).toBe(1)
    impatient.reset()
    await expect.poll(() => waiting(one), { interval: 5 }).toBe(0)
    const third = send(one)
    await expect.poll(() => waiting(one), { interval: 5 }).toBe(1)
    hold.open()

    expect((await Promise.all([first, third])).map(statusIn)).toEqual([200, 200])
    expect(one.origin.arrivalsOf('impatient')).toEqual([])
  })

  test('a refusal, and what the gateway answers itself, need no place', async () => {
    await using one = await testGateway({ limits: { concurrency: 1, queue: 0 } })
    using hold = one.origin.hold()
    const first = send(one)
    await hold.reached(1, 2_000)
    const asked = [
      'GET /r',
      'GET /nowhere',
      'GET /__zuplo/ping',
      'GET /__zuplo/issuer/.well-known/jwks.json',
      'GET /public/x',
    ]
    const statuses: number[] = []
    for (const one_ of asked) statuses.push(statusIn(await send(one, one_)))
    hold.open()

    expect(statuses).toEqual([401, 404, 200, 200, 503])
    expect(statusIn(await first)).toBe(200)
  })

  test('a place is free again, however its request ended', async () => {
    const breaking = {
      ...route('GET', '/broken', 'http://127.0.0.1:9', []),
      handler: {
        followRedirects: false,
        destination: () => {
          throw new Error('broken')
        },
      },
    }
    await using one = await testGateway({
      limits: { concurrency: 1, queue: 0, bodyOctets: 100, answerMs: 100 },
      routes: (origin) => [
        ...['GET', 'POST'].map((method) => route(method, '/x', origin, [])),
        route('GET', '/refusing', 'http://127.0.0.1:9', []),
        { ...breaking },
        {
          ...breaking,
          path: { mode: 'open-api', pattern: '/unclear' },
          handler: { followRedirects: false, destination: () => ({ problem: 400 }) },
        },
      ],
    })
    const large = `3e8\r\n${'x'.repeat(1_000)}\r\n`
    const ways: (() => Promise<unknown>)[] = [
      () => send(one, 'GET /refusing'),
      () => send(one, 'GET /broken'),
      () => send(one, 'GET /unclear'),
      () => exchangeOctets(one.port, requestText('POST /x', ['Transfer-Encoding: chunked'], large)),
      ...(['reset-unanswered', 'close-unanswered', 'never', 'reset-mid-body'] as const).map((fault) => async () => {
        using _ = one.origin.answer({ fault })
        await exchangeOctets(one.port, requestText('POST /x', ['Content-Length: 0']))
      }),
      async () => {
        using hold = one.origin.hold()
        await using caller = await dial(one.port)
        caller.send(requestText('GET /x'))
        await hold.reached(1, 2_000)
        caller.reset()
      },
    ]
    for (const way of ways) {
      await way()
      await expect.poll(() => gauge(one, 'gateway_requests_active'), { interval: 5 }).toBe(0)
    }

    expect(statusIn(await send(one, 'GET /x'))).toBe(200)
  })

  test('500 at once: each is answered in full or told to come back, and then all is as before', async () => {
    await using one = await testGateway({ limits: { concurrency: 50, queue: 100, queueMs: 60_000 } })
    using hold = one.origin.hold()
    const asked = Array.from({ length: 500 }, () => exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))
    await expect.poll(() => waiting(one), { interval: 5, timeout: 10_000 }).toBe(100)
    await hold.reached(50, 10_000)
    hold.open()
    const statuses = (await Promise.all(asked)).map(statusIn)

    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(150)
    expect(new Set(statuses)).toEqual(new Set([200, 503]))
    expect(hold.most()).toBe(50)
    expect(one.origin.all().every((arrival) => arrival.header('authorization').length === 1)).toBe(true)
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)])))).toBe(200)
  })
})

describe('admission', () => {
  test('gives back a place once, however often it is given back', () => {
    const admission = createAdmission({ ...DEFAULT_LIMITS, concurrency: 1, queue: 0 })
    const place = admission.enter()
    if (typeof place !== 'function') throw new Error('There was no place')
    place()
    place()

    expect(admission.active()).toBe(0)
    expect(admission.enter()).toBeTypeOf('function')
    expect(admission.enter()).toBeUndefined()
  })

  test('a place that comes free goes to the next that waits, not to one that left', async () => {
    const admission = createAdmission({ ...DEFAULT_LIMITS, concurrency: 1, queue: 2 })
    const place = admission.enter()
    const [first, second] = [admission.enter(), admission.enter()]
    if (typeof place !== 'function' || typeof first !== 'object' || typeof second !== 'object')
      throw new Error('No queue')
    first.leave()
    first.leave()
    place()

    expect(await first.admitted).toBeUndefined()
    expect(await second.admitted).toBeTypeOf('function')
    expect([admission.active(), admission.waiting()]).toEqual([1, 0])
  })
})

describe('a gateway that is told to stop', () => {
  test('answers what is open, tells it that the connection ends, and takes nothing new', async () => {
    await using one = await testGateway()
    using hold = one.origin.hold()
    await using caller = await dial(one.port)
    const keep = (path: string) => requestText(`GET ${path}`, ['Connection: keep-alive'])
    caller.send(keep('/public/open') + keep('/public/behind'))
    await hold.reached(1, 2_000)
    const stopped = one.gateway.stop()
    await expect(send(one)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    hold.open()
    const { received } = await caller.closed
    await stopped

    expect(statusesIn(received)).toEqual([200])
    expect(received).toMatch(/^connection: close\r$/imu)
    expect(one.origin.all().map(({ target }) => target)).toEqual(['/public/open'])
  })

  test('ends connections that wait for nothing at once, whether they were used or not', async () => {
    await using one = await testGateway()
    await using fresh = await dial(one.port)
    await using used = await dial(one.port)
    await using begun = await dial(one.port)
    used.send(requestText('GET /public/x', ['Connection: keep-alive']))
    begun.send('GET /public/x HTTP/1.1\r\nHost:')
    await used.until(/captured/u)
    await one.gateway.stop()

    for (const caller of [fresh, used, begun]) expect(['fin', 'reset']).toContain((await caller.closed).how)
    expect(one.origin.all()).toHaveLength(1)
  })

  test('ends an answer that was under way once it is whole', async () => {
    await using one = await testGateway()
    one.origin.answer({ events: ['first', 'second'], everyMs: 50 })
    await using caller = await dial(one.port)
    const keep = (path: string) => requestText(`GET ${path}`, ['Connection: keep-alive'])
    caller.send(keep('/public/open') + keep('/public/behind'))
    await caller.until(/first/u)
    await one.gateway.stop()

    expect((await caller.closed).received.endsWith('0\r\n\r\n')).toBe(true)
    expect(one.log).toHaveLength(1)
    expect(one.origin.all().map(({ target }) => target)).toEqual(['/public/open'])
  })

  test('waits no longer than it is told to', async () => {
    await using one = await testGateway({ limits: { stopMs: 50 } })
    one.origin.answer({ events: ['first', 'second'], everyMs: 600_000 })
    await using caller = await dial(one.port)
    caller.send(requestText('GET /public/x'))
    await caller.until(/first/u)
    await one.gateway.stop()
    const { received } = await caller.closed

    expect(received).not.toContain('0\r\n\r\n')
  })

  test('may be told so more than once', async () => {
    const one = await testGateway()
    await Promise.all([one.gateway.stop(), one.gateway.stop()])
    await one.gateway.stop()
    await one[Symbol.asyncDispose]()
    await expect(send(one)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('what a gateway does not expect', () => {
  const failing = (fail: () => never) => testGateway({ policies: [...GUARDED, doing(fail)] })

  test.each([
    [
      'at once',
      () => {
        throw new Error('secret text')
      },
    ],
    ['in time', (() => Promise.reject(new Error('secret text'))) as unknown as () => never],
  ] as const)('a policy that throws %s is 500, an event, and nothing is forwarded', async (_, fail) => {
    await using one = await failing(fail)
    const text = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))
    await expect.poll(() => one.events.length, { interval: 5 }).toBeGreaterThan(0)
    const id = /^zp-rid: (\S+)\r$/mu.exec(text)?.[1]

    expect(statusesIn(text)).toEqual([500])
    expect(text).not.toContain('secret text')
    expect(one.origin.all()).toEqual([])
    expect(one.events.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ event: 'request-failed', requestId: id }),
    )
    expect(one.events.join('')).not.toContain('secret text')
    expect(statusIn(await exchangeOctets(one.port, requestText('GET /public/x')))).toBe(200)
  })

  test('lines of a policy that cannot be sent are 500, and cost nobody else anything', async () => {
    const wrong = doing((request) => {
      request.answerLines.push('X-Wrong', 'a\r\nb')
    })
    await using one = await testGateway({ policies: [...GUARDED, wrong] })
    const refused = await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))

    expect([500, 502]).toContain(statusIn(refused))
    expect(statusesIn(refused)).toHaveLength(1)
    expect(refused).not.toContain('X-Wrong')
    expect(statusIn(await send(one))).toBe(200)
  })

  test('whoever counts answers and throws harms no answer but its own', async () => {
    const wrong = doing((request) => {
      request.onStatus.push(() => {
        throw new Error('broken')
      })
    })
    await using one = await testGateway({ policies: [...GUARDED, wrong] })
    await exchangeOctets(one.port, requestText('GET /r', [bearer(one.key)]))

    expect(statusIn(await send(one))).toBe(200)
    await expect.poll(() => gauge(one, 'gateway_requests_active'), { interval: 5 }).toBe(0)
  })
})
