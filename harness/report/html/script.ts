/** What makes the page answer: filters, hops as buttons, copying. Without it the page is read as it is. */
export const SCRIPT = `'use strict'
const all = (selector, within = document) => [...within.querySelectorAll(selector)]
const form = document.getElementById('filters')
const shown = document.getElementById('shown')
const nothing = document.getElementById('nothing')
const caption = document.querySelector('.path figcaption')
const invitation = caption.textContent
const hops = all('a.hop')
const rows = all('li.case')
const suites = all('details.suite')
const groups = all('section.group')
const wasOpen = new Map(suites.map((suite) => [suite, suite.open]))
const words = new Map()
let hop = ''

const textOf = (row) => {
  if (!words.has(row)) words.set(row, row.textContent.toLowerCase())
  return words.get(row)
}

const apply = () => {
  const { words: search, verdict, level, suite } = form.elements
  const wanted = search.value.toLowerCase().split(/\\s+/).filter(Boolean)
  const isFiltered = wanted.length > 0 || verdict.value + level.value + suite.value + hop !== ''
  let count = 0
  for (const row of rows) {
    const { dataset } = row
    const fits =
      (hop === '' || dataset.hop === hop) &&
      (verdict.value === '' || dataset.verdict === verdict.value) &&
      (level.value === '' || dataset.level === level.value) &&
      (suite.value === '' || dataset.suite === suite.value) &&
      wanted.every((word) => textOf(row).includes(word))
    row.hidden = !fits
    if (fits) count += 1
  }
  for (const one of suites) {
    one.hidden = all('li.case:not([hidden])', one).length === 0
    one.open = isFiltered || wasOpen.get(one)
  }
  for (const one of groups) one.hidden = all('details.suite:not([hidden])', one).length === 0
  nothing.hidden = count > 0
  for (const one of hops) one.setAttribute('aria-pressed', String(one.dataset.hop === hop))
  const chosen = hops.find((one) => one.dataset.hop === hop)
  const what = chosen === undefined ? '' : ' of \\u201c' + chosen.querySelector('.name').textContent + '\\u201d'
  shown.textContent = isFiltered ? 'Showing ' + count + ' of ' + rows.length + ' cases' + what + '.' : rows.length + ' cases.'
  caption.textContent = chosen === undefined ? invitation : 'Below are the ' + count + ' cases' + what + '. Select it again to see all. '
  if (chosen === undefined) return
  const down = document.createElement('a')
  down.href = '#cases'
  down.textContent = 'Go to them'
  caption.append(down)
}

const choose = (link) => {
  hop = hop === link.dataset.hop ? '' : link.dataset.hop
  apply()
}

const clear = () => {
  form.reset()
  hop = ''
  apply()
}

const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!target || !target.matches('li.case > details')) return
  if (target.parentElement.hidden) clear()
  for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true
  target.scrollIntoView()
  target.querySelector('summary').focus({ preventScroll: true })
}

for (const link of hops) {
  link.setAttribute('role', 'button')
  link.addEventListener('click', (event) => {
    event.preventDefault()
    choose(link)
  })
  link.addEventListener('keydown', (event) => {
    if (event.key !== ' ') return
    event.preventDefault()
    choose(link)
  })
}
form.addEventListener('input', apply)
form.addEventListener('submit', (event) => event.preventDefault())
form.addEventListener('reset', () => {
  hop = ''
  setTimeout(apply)
})
nothing.querySelector('button').addEventListener('click', clear)
form.hidden = false
apply()

for (const button of all('button.copy')) {
  button.hidden = false
  const label = button.innerHTML
  button.addEventListener('click', async () => {
    const code = button.parentElement.querySelector('code')
    try {
      await navigator.clipboard.writeText(code.textContent)
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(code)
      button.textContent = 'Selected'
    }
    setTimeout(() => {
      button.innerHTML = label
    }, 1500)
  })
}

let folded = []
addEventListener('beforeprint', () => {
  folded = all('details:not([open])')
  for (const one of folded) one.open = true
})
addEventListener('afterprint', () => {
  for (const one of folded) one.open = false
})
addEventListener('hashchange', reveal)
reveal()
`
