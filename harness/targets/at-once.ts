/** A way of waiting for a container that does not: it is watched from its first moment on. */
export const AT_ONCE = {
  waitUntilReady: () => Promise.resolve(),
  withStartupTimeout: () => AT_ONCE,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
}
