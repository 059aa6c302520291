import { defineConfig } from 'vitest/config'

/** The package as its users have it: packed, installed, and run by every version of Node that it permits. */
export default defineConfig({
  test: {
    include: ['harness/package/**/*.package.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: process.env['CI'] ? ['verbose'] : ['default'],
  },
})
