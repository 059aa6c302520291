/** Filters the rows, and moves between cells with the arrow keys. Everything else works without it. */
export const SCRIPT = `
const form = document.querySelector('form.filters')
const tables = [...document.querySelectorAll('table.matrix')]
const texts = new Map()
for (const detail of document.querySelectorAll('[data-case]')) {
  texts.set(detail.dataset.case, (texts.get(detail.dataset.case) ?? '') + ' ' + detail.textContent.toLowerCase())
}
const rows = tables.flatMap((table) => [...table.querySelectorAll('tbody tr:not(.suite)')])
const buttonsOf = (table) => [...table.querySelectorAll('tr:not([hidden]) td button')]

function rove(table, chosen) {
  for (const button of table.querySelectorAll('td button')) button.tabIndex = button === chosen ? 0 : -1
}

function apply() {
  const { text, suite, verdict, differs } = form.elements
  const words = text.value.toLowerCase().split(/\\s+/).filter((word) => word !== '')
  let shown = 0
  for (const row of rows) {
    const all = row.id.toLowerCase() + ' ' + row.cells[0].textContent.toLowerCase() + (texts.get(row.id) ?? '')
    row.hidden = !(
      words.every((word) => all.includes(word)) &&
      (suite.value === '' || row.parentElement.dataset.suite === suite.value) &&
      (verdict.value === '' || row.dataset.verdicts.split(' ').includes(verdict.value)) &&
      (!differs.checked || 'differs' in row.dataset)
    )
    if (!row.hidden) shown += 1
  }
  for (const table of tables) {
    for (const body of table.tBodies) body.hidden = [...body.rows].every((row) => row.hidden || row.className === 'suite')
    const [first] = buttonsOf(table)
    if (first) rove(table, first)
  }
  for (const section of document.querySelectorAll('main > section')) {
    section.classList.toggle('nothing', [...section.querySelectorAll('table.matrix > tbody')].every((body) => body.hidden))
  }
  form.querySelector('output').value = shown + ' of ' + rows.length + (rows.length === 1 ? ' case' : ' cases')
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }

function move(event) {
  const step = STEPS[event.key]
  const cell = event.target.closest('td')
  if (!step || !cell) return
  const table = cell.closest('table')
  const lines = [...table.rows].filter((row) => row.offsetParent !== null)
  let line = lines.indexOf(cell.parentElement)
  let at = cell.cellIndex
  for (;;) {
    line += step[0]
    at += step[1]
    if (line < 0 || line >= lines.length || at < 1 || at >= table.tHead.rows[0].cells.length) return
    const button = lines[line].cells[at]?.querySelector('button')
    if (button) {
      event.preventDefault()
      button.focus()
      return
    }
  }
}

form.hidden = false
form.addEventListener('input', apply)
form.addEventListener('submit', (event) => event.preventDefault())
for (const table of tables) {
  table.addEventListener('keydown', move)
  table.addEventListener('focusin', (event) => {
    if (event.target.matches('td button')) rove(table, event.target)
  })
}
apply()
`
