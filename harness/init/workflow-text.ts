import { stringify } from 'yaml'
import type { Subject } from '../model/case.ts'

/** What a pipeline has to do. */
export interface Pipeline {
  readonly subject: Subject
  /** Version of trustspec that it is pinned to. */
  readonly version: string
  /** Commands that install what the origin needs. */
  readonly install: readonly string[]
  readonly openapi?: string
}

const FOLDER = 'trustspec-report'

/** Variables from which the keys of a gateway are taken. */
const KEYS = ['TRUSTSPEC_API_KEY', 'TRUSTSPEC_API_KEY_2']

function commandsOf({ version, openapi }: Pipeline): readonly string[] {
  const reports = [`html=${FOLDER}/report.html`, `junit=${FOLDER}/junit.xml`, `sarif=${FOLDER}/trustspec.sarif`]
  const run = `npx --yes trustspec@${version} run --json ${FOLDER}/report.json --report ${reports.join(',')}`
  return [`mkdir -p ${FOLDER}`, openapi === undefined ? run : `${run} --openapi ${openapi}`]
}

/** A workflow of GitHub. */
export function githubWorkflow(pipeline: Pipeline): string {
  const { install, subject } = pipeline
  const keys = Object.fromEntries(KEYS.map((name) => [name, `\${{ secrets.${name} }}`]))
  return text({
    name: 'trustspec',
    on: { push: { branches: ['main'] }, pull_request: {} },
    permissions: { contents: 'read', 'security-events': 'write' },
    jobs: {
      conformance: {
        'runs-on': 'ubuntu-latest',
        'timeout-minutes': 30,
        steps: [
          { uses: 'actions/checkout@v6' },
          { uses: 'actions/setup-node@v6', with: { 'node-version': 24 } },
          ...(install.length === 0 ? [] : [{ name: 'Install the origin', run: install.join('\n') }]),
          {
            name: 'Test',
            ...(subject === 'origin' ? {} : { env: keys }),
            run: commandsOf(pipeline).join('\n'),
          },
          {
            name: 'Upload findings to code scanning',
            if: '${{ always() }}',
            'continue-on-error': true,
            uses: 'github/codeql-action/upload-sarif@v4',
            with: { sarif_file: `${FOLDER}/trustspec.sarif`, category: 'trustspec' },
          },
          {
            name: 'Upload the reports',
            if: '${{ always() }}',
            uses: 'actions/upload-artifact@v7.0.1',
            with: { name: FOLDER, path: FOLDER, 'if-no-files-found': 'ignore' },
          },
        ],
      },
    },
  })
}

/** A job of GitLab, to be included; its API keys are masked variables of the project. */
export function gitlabJob(pipeline: Pipeline): string {
  return text({
    trustspec: {
      image: 'node:24',
      script: [...pipeline.install, ...commandsOf(pipeline)],
      artifacts: { when: 'always', paths: [`${FOLDER}/`], reports: { junit: `${FOLDER}/junit.xml` } },
    },
  })
}

function text(value: object): string {
  return stringify(value, { singleQuote: true, lineWidth: 0 })
}
