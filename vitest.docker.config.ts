import { defineConfig } from 'vitest/config'

/** The tests that need a Docker engine; where there is none, they are skipped and say so. */
export default defineConfig({
  test: {
    include: ['harness/**/*.docker.test.ts'],
    isolate: false,
    // As in vitest.config.ts: modules of gateway projects are for Node to load.
    server: { deps: { external: [/[?&]gateway=/u] } },
    // They judge verdicts that depend on time, on machines with few cores.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: process.env['CI'] ? ['verbose'] : ['default'],
  },
})
