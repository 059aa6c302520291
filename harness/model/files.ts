import path from 'node:path'

// Built modules lie in dist, one folder deeper than the sources; what is no module lies in one place for both.
const ROOT = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url)

/** A file or folder of the package that is no module, by its path from the root of the package. */
export function packageFile(name: string): URL {
  return new URL(name, ROOT)
}

/** The module of that name, without an extension, beside the module `from`: a source or a built one, as that is. */
export function moduleBeside(name: string, from: string): URL {
  return new URL(`${name}${path.extname(new URL(from).pathname)}`, from)
}
