/** The page's style sheet: responsive, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 22%, transparent); --blue: #0072b2; --other-blue: #56b4e9; }
@media (prefers-color-scheme: dark) { :root { --blue: #56b4e9; --other-blue: #0072b2; } }
* { box-sizing: border-box; }
body { margin: 0; } main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
h1 { margin: .25rem 0; font-size: 1.6rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0; }
.note { color: GrayText; font-size: .88rem; } ul.note { padding-left: 1.2rem; }
.warn { border-left: .3rem solid #d55e00; padding: .3rem .75rem; margin: .5rem 0; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.figures div { flex: 1 1 9rem; border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem; }
.figures b { display: block; font-size: 1.7rem; line-height: 1.2; } .figures small { color: GrayText; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; min-width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .55rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
thead th { font-weight: 600; } th:first-child { text-align: left; } tr.total > * { font-weight: 700; }
tbody th { position: sticky; left: 0; background: Canvas; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
figure.chart { margin: 0; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem; }
figure.chart figcaption { font-size: .9rem; } svg { width: 100%; height: auto; display: block; } svg text { font-size: 13px; fill: currentColor; }
.grid { stroke: var(--line); } .legend { margin: .5rem 0; } .key { white-space: nowrap; margin-left: .5rem; } .key i { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .25em; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; position: sticky; top: 0; background: Canvas; padding: .5rem 0; z-index: 2; border-bottom: 1px solid var(--line); }
.controls label { display: inline-flex; gap: .35rem; align-items: center; } .controls input[type=number] { width: 4.5rem; } .controls input, .controls select { font: inherit; max-width: 100%; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); gap: 1rem; margin-top: .75rem; }
.card[hidden] { display: none; } .card p { margin: .25rem 0 0; font-size: .9rem; overflow-wrap: anywhere; }
.panes { display: grid; grid-template-columns: repeat(var(--panes), 1fr); gap: .25rem; }
.pane { background-image: var(--image); background-size: 100% 100%; border-radius: .25rem; position: relative; overflow: hidden; }
.pane img { position: absolute; inset: 0; width: 100%; height: 100%; } .pane span { position: absolute; left: .25rem; bottom: .15rem; font-size: .7rem; color: #fff; text-shadow: 0 0 3px #000, 0 0 3px #000; }
.false-negative { color: #d55e00; }
@media (max-width: 40rem) { main { padding: .6rem; } h1 { font-size: 1.3rem; } .controls { position: static; } }
@media print { .controls, nav { display: none; } .card { break-inside: avoid; } }
`;

/** Filters and sorts the cards of the gallery. */
export const SCRIPT = `
const cards = [...document.querySelectorAll('.card')];
const gallery = document.querySelector('.gallery');
const field = (id) => document.getElementById(id);
function show() {
  const text = field('f-text').value.trim().toLowerCase();
  const dataset = field('f-dataset').value;
  const low = field('f-low').value === '' ? -Infinity : Number(field('f-low').value);
  const high = field('f-high').value === '' ? Infinity : Number(field('f-high').value);
  const falseNegative = field('f-false-negative').checked;
  let count = 0;
  for (const card of cards) {
    const { dsc, dataset: own, falseNegative: lost, text: words } = card.dataset;
    const fits = (text === '' || words.includes(text)) && (dataset === '' || own === dataset) && Number(dsc) >= low && Number(dsc) <= high && (!falseNegative || lost === 'true');
    card.hidden = !fits;
    if (fits) count += 1;
  }
  field('f-count').textContent = count + ' of ' + cards.length;
}
function sort() {
  const sign = field('f-sort').value === 'best' ? -1 : 1;
  cards.sort((a, b) => sign * (Number(a.dataset.dsc) - Number(b.dataset.dsc)));
  gallery.append(...cards);
}
if (gallery) {
  for (const id of ['f-text', 'f-dataset', 'f-low', 'f-high', 'f-false-negative']) field(id).addEventListener('input', show);
  field('f-sort').addEventListener('input', sort);
  show();
}
`;
