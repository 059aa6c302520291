import { startFront } from '../../intercept/front.ts'
import { startInterception } from '../../intercept/intercept.ts'
import { TrustspecError } from '../../model/errors.ts'
import { assertFree } from '../../targets/process.ts'
import type { TargetSettings } from '../../targets/target.ts'
import type { TutorialOrigin } from '../origins.ts'
import type { World } from '../world.ts'
import type { Place } from './launch.ts'
import type { ReaderFile } from './reader-file.ts'

/** The reader's own file as the origin of step 4; what answers for the host of its issuer ends with it. */
export interface ReaderOrigin extends AsyncDisposable {
  readonly origin: TutorialOrigin
}

/** Makes it; nothing runs before it joins the world. */
export function readerOrigin(file: ReaderFile, place: Place): ReaderOrigin {
  const { program, known, shown, text } = file
  const stack = new AsyncDisposableStack()
  let found: Pick<TargetSettings, 'environment' | 'front'> = {}
  return {
    origin: {
      title: 'Tornado',
      place: shown,
      guard: { text: text.trimEnd(), language: 'python' },
      remark:
        `It runs as it is: the tutorial answers for ${new URL(known.issuer).host}, over TLS and with an authority of its ` +
        'own, and the gateway takes that name as its own.',
      logsRefusals: false,
      async prepare() {
        if (program.port !== undefined && !place.reach) await assertFree(program.port)
        await place.prepare(program)
      },
      async join(world) {
        found = await answerFor(world, file, place, stack)
        await world.restartGateway({ publicUrl: new URL(known.issuer).origin })
      },
      async start(settings) {
        try {
          return await place.start(program, file.audience === null ? {} : { audience: file.audience }, {
            ...settings,
            ...found,
          })
        } catch (error) {
          throw explained(error, shown)
        }
      },
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Answers for the hosts that stand in the file, and gives what makes its process find the answers. */
async function answerFor(
  { answerForIssuer: handle }: World,
  { known }: ReaderFile,
  { reach }: Place,
  stack: AsyncDisposableStack,
): Promise<Pick<TargetSettings, 'environment' | 'front'>> {
  const hosts = [...new Set([known.issuer, known.jwksUrl].map((url) => new URL(url).hostname))]
  if (!reach) return { environment: stack.use(await startInterception({ hosts, handle })).environment }
  const front = stack.use(await startFront({ hosts, handle, listen: reach.listen }))
  return { environment: front.environment, front }
}

/** Says which package a file lacks, where that is why it does not start. */
function explained(error: unknown, shown: string): unknown {
  if (!(error instanceof TrustspecError) || error.code !== 'ERR_TARGET_DID_NOT_START') return error
  const missing = /ModuleNotFoundError: No module named '(?<name>[^']+)'/u.exec(String(error.fields['log']))
  if (!missing) return error
  return new TrustspecError(
    'ERR_USAGE',
    'Your file imports a package that the page does not need',
    { '--app': shown, package: missing.groups?.['name'] ?? '', instead: 'a requirements.txt beside the file' },
    { cause: error },
  )
}
