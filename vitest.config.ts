import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['suites/**/*.test.ts', 'harness/**/*.test.ts', 'fixtures/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.docker.test.ts', '**/*.package.test.ts'],
    // Isolation would cost a fresh module graph per file; our tests share no mutable module state.
    isolate: false,
    // Modules of gateway projects are for Node to load, as in a gateway that runs: it imports them for one gateway each.
    server: { deps: { external: [/[?&]gateway=/u] } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['verbose'] : ['default'],
  },
})
