import { REPORT_VERSION } from '../model/result.ts'
import type { Report, ReportCollection } from '../model/result.ts'
import type { Renderer } from './rendering.ts'

/** The result model itself, after report.schema.json. */
export const renderJson: Renderer = ({ reports, exit, isCollection }) => {
  const [report] = reports
  const whole: Report | ReportCollection =
    report && reports.length === 1 && isCollection !== true ? report : { version: REPORT_VERSION, reports, exit }
  return `${JSON.stringify(whole, undefined, 2)}\n`
}
