import type { CaseResult, Report } from '../model/result.ts'
import { overdueOf } from './known.ts'
import type { Renderer } from './rendering.ts'
import { standingOf } from './standing.ts'
import { excuseOf, findingLine, linesOf, newFirst, reasonOf, verdictOf } from './words.ts'
import { xmlDocument } from './xml.ts'
import type { XmlElement } from './xml.ts'

/** JUnit XML as Jenkins and GitLab read it: a suite for each of ours, a test for each case. */
export const renderJunit: Renderer = ({ reports }) => {
  const suites = reports.flatMap(suitesOf)
  return xmlDocument({
    name: 'testsuites',
    attributes: {
      name: 'trustspec',
      tests: sum(suites, 'tests'),
      failures: sum(suites, 'failures'),
      errors: sum(suites, 'errors'),
      time: seconds(reports.reduce((total, { durationMs }) => total + durationMs, 0)),
    },
    children: suites,
  })
}

function suitesOf(report: Report): readonly XmlElement[] {
  const bySuite = Map.groupBy(report.cases, ({ suite }) => suite)
  const suites = [...bySuite].map(([name, cases]) =>
    suiteOf(
      name,
      cases.map((result) => testOf(result, report)),
      cases.reduce((total, { durationMs }) => total + durationMs, 0),
      report,
    ),
  )
  const isRed = sum(suites, 'failures') + sum(suites, 'errors') > 0
  // What fails the run has to be red here too, also where no case is: a stale entry, or a recommendation under --strict.
  return report.exit.code === 0 || isRed
    ? suites
    : [...suites, suiteOf(`${report.subject}/run`, [runOf(report)], 0, report)]
}

function runOf(report: Report): XmlElement {
  const { subject, exit } = report
  const { stale, expired } = overdueOf(report)
  return {
    name: 'testcase',
    attributes: { classname: `trustspec.${subject}.run`, name: 'conforms', time: seconds(0) },
    children: [element('failure', { type: `exit code ${exit.code}`, message: exit.meaning }, [...stale, ...expired])],
  }
}

function suiteOf(name: string, tests: readonly XmlElement[], durationMs: number, report: Report): XmlElement {
  const { seed, target, tool, startedAt } = report
  const holding = (child: string): number =>
    tests.filter(({ children = [] }) => children.some((one) => typeof one !== 'string' && one.name === child)).length
  const properties = {
    seed,
    target: target.url,
    kind: target.kind,
    ...(target.name === undefined ? {} : { 'target name': target.name }),
    version: tool.version,
    subject: report.subject,
  }
  return {
    name: 'testsuite',
    attributes: {
      name,
      tests: tests.length,
      failures: holding('failure'),
      errors: holding('error'),
      skipped: holding('skipped'),
      time: seconds(durationMs),
      // Without a zone, as the schemas of Ant and Jenkins have it; it is UTC.
      timestamp: startedAt.slice(0, 19),
    },
    children: [
      {
        name: 'properties',
        attributes: {},
        children: Object.entries(properties).map(([key, value]) => element('property', { name: key, value })),
      },
      ...tests,
    ],
  }
}

function testOf(result: CaseResult, { subject }: Report): XmlElement {
  const { id, suite, durationMs } = result
  return {
    name: 'testcase',
    attributes: {
      classname: `trustspec.${suite.replaceAll('/', '.')}`,
      name: id.slice(id.lastIndexOf('/') + 1),
      time: seconds(durationMs),
    },
    children: outcomeOf(result, linesOf(result, subject)),
  }
}

function outcomeOf(result: CaseResult, lines: readonly string[]): readonly XmlElement[] {
  const { measured, notProven } = result
  const [first] = newFirst(result)
  const type = verdictOf(result)
  switch (standingOf(result)) {
    case 'failed': {
      return [element('failure', { type, message: first ? findingLine(first) : reasonOf(result) }, lines)]
    }
    case 'unclear': {
      // That a requirement could not be established is not green; that a recommendation could not be is.
      const name = result.level === 'MUST' ? 'error' : 'skipped'
      return [element(name, { type, message: reasonOf(result) }, lines)]
    }
    case 'accepted':
    case 'upcoming': {
      return [element('skipped', { type, message: excuseOf(result) }, lines)]
    }
    case 'skipped': {
      return [element('skipped', { type, message: reasonOf(result) })]
    }
    case 'warned': {
      return [element('system-out', {}, [`${type}: ${first ? findingLine(first) : reasonOf(result)}`, ...lines])]
    }
    case 'passed':
    case 'measured': {
      break
    }
  }
  const isSilent = Object.keys(measured).length + notProven.length === 0
  return isSilent ? [] : [element('system-out', {}, lines)]
}

function element(name: string, attributes: XmlElement['attributes'], lines: readonly string[] = []): XmlElement {
  return { name, attributes, ...(lines.length === 0 ? {} : { children: [lines.join('\n')] }) }
}

function sum(suites: readonly XmlElement[], attribute: string): number {
  return suites.reduce((total, { attributes }) => total + Number(attributes[attribute]), 0)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
