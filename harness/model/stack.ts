/** The global of that name, and what stands in for it on Node 22, which has none. */
export { AsyncDisposableStack } from '@whatwg-node/disposablestack'
