import type { OptionCheck } from '../options.ts'

const LIST = /^\s*[1-5]\d\d(?:\s*-\s*[1-5]\d\d)?(?:\s*,\s*[1-5]\d\d(?:\s*-\s*[1-5]\d\d)?)*\s*$/u

const rangesOf = (list: string): readonly (readonly [number, number])[] =>
  list.split(',').map((item) => {
    const [from = '', to = from] = item.split('-')
    return [Number(from), Number(to)]
  })

/** Status codes and ranges of them, such as `200-299, 404`. */
export const statusList: OptionCheck = (value) =>
  typeof value === 'string' && LIST.test(value) && rangesOf(value).every(([from, to]) => from <= to)
    ? undefined
    : 'a list of status codes and ranges such as "200-299, 404"'

/** Whether a status is in a list that passes the check. */
export function isStatusIn(list: string): (status: number) => boolean {
  const ranges = rangesOf(list)
  return (status) => ranges.some(([from, to]) => from <= status && status <= to)
}
