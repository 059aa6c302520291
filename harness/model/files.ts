import path from 'node:path'

/** Root of the modules: that of the sources, or dist. */
const MODULES = new URL('../../', import.meta.url)

const ROOT = import.meta.url.endsWith('.ts') ? MODULES : new URL('../', MODULES)

/** A file or folder that sources and built modules read in the same place, by its path from the root of the package. */
export function packageFile(name: string): URL {
  return new URL(name, ROOT)
}

/** A file or folder of which the build makes a copy of its own, by its path from the root of the sources. */
export function builtFile(name: string): URL {
  return new URL(name, MODULES)
}

/** The module of that name, without an extension, beside the module `from`: a source or a built one, as that is. */
export function moduleBeside(name: string, from: string): URL {
  return new URL(`${name}${path.extname(new URL(from).pathname)}`, from)
}
