import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Gateway projects that the package runs: Node takes no types out of their modules where packages are installed. */
const PROJECTS = ['fixtures/gateway-projects/conformance']

const dist = path.join(ROOT, 'dist')
rmSync(dist, { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' })
for (const project of PROJECTS) {
  const built = path.join(dist, project)
  cpSync(path.join(ROOT, project), built, { recursive: true })
  for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || path.extname(entry.name) !== '.ts') continue
    const file = path.join(entry.parentPath, entry.name)
    const plain = file.replace(/\.ts$/u, '.js')
    renameSync(file, plain)
    writeFileSync(plain, stripTypeScriptTypes(readFileSync(plain, 'utf8')))
  }
}
