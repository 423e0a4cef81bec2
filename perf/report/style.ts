// The style sheet of the page: one column, light and dark, for phones and wide screens. It loads
// nothing.

export const STYLE: string = `:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --card: #fff; --ink: #1c1e21; --soft: #5f656d; --line: #e3e4e2;
  --own: #1f6feb; --own-soft: #1f6feb33; --floor: #9aa0a6; --good: #1a7f4b; --bad: #c0362c;
  --open: #9a6700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131517; --card: #1b1e21; --ink: #e8eaed; --soft: #a0a6ad; --line: #2e3236;
    --own: #6ea8ff; --own-soft: #6ea8ff44; --floor: #70777e; --good: #4fc388; --bad: #ff8078;
    --open: #e0b040;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 3.25rem 0 .25rem; letter-spacing: -.01em; }
h3 { font-size: .95rem; margin: 0; font-weight: 600; }
p { margin: .25rem 0; }
a { color: var(--own); }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.soft, figcaption { color: var(--soft); font-size: .875rem; }
.lead { max-width: 46rem; color: var(--soft); margin-bottom: 1.25rem; }
.facts { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; color: var(--soft);
  font-size: .875rem; }
.cards { display: grid; gap: .75rem; margin: 1.75rem 0 0;
  grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .9rem 1.1rem 1rem; }
.card b { display: block; font-size: 1.85rem; line-height: 1.25; font-weight: 650;
  letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.card b small { font-size: .95rem; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; font-size: .875rem; color: var(--soft);
  margin: .75rem 0 .25rem; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  margin-right: .4rem; vertical-align: -.08em; background: var(--floor); }
.key .own { background: var(--own); }
.rows { border-top: 1px solid var(--line); margin-top: .75rem; }
.row { display: grid; grid-template-columns: minmax(11rem, 1.05fr) 1.5fr 1.2fr 6.5rem;
  gap: .35rem 1.75rem; padding: .85rem 0; border-bottom: 1px solid var(--line);
  align-items: center; }
.row.head { padding: .4rem 0; color: var(--soft); font-size: .8125rem; }
.row p { font-size: .8125rem; line-height: 1.4; }
.remark { color: var(--open); }
.tag { display: inline-block; font-size: .6875rem; letter-spacing: .03em; color: var(--open);
  border: 1px solid currentColor; border-radius: .25rem; padding: 0 .3rem; margin-top: .2rem;
  cursor: help; }
.bars { display: grid; gap: .3rem; font-variant-numeric: tabular-nums; font-size: .875rem; }
.bar { display: grid; grid-template-columns: 1fr 5.2rem; gap: .6rem; align-items: center; }
.bar span { text-align: right; white-space: nowrap; }
.bar.floor span { color: var(--soft); }
.track { position: relative; height: .8rem; }
.fill { position: absolute; inset: 0 auto 0 0; border-radius: 0 .2rem .2rem 0;
  background: var(--floor); min-width: 2px; }
.own .fill { background: var(--own); }
.spread { position: absolute; top: 50%; height: 1px; background: var(--ink); opacity: .75; }
.spread::before, .spread::after { content: ""; position: absolute; top: -3px; width: 1px;
  height: 7px; background: var(--ink); }
.spread::after { right: 0; }
.ratio { text-align: right; font-variant-numeric: tabular-nums; }
.ratio b { font-size: 1.15rem; font-weight: 650; display: block; line-height: 1.2; }
.ratio span { font-size: .75rem; color: var(--soft); white-space: nowrap; }
.label { display: none; }
.plots { display: grid; gap: 1rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .9rem 1rem 1rem; min-width: 0; }
.plot { position: relative; height: 11rem; margin: .9rem .6rem 1.6rem 3.4rem; font-size: .75rem;
  color: var(--soft); font-variant-numeric: tabular-nums; }
.plot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.plot path { fill: none; stroke: var(--floor); stroke-width: 2; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.plot path.own { stroke: var(--own); }
.plot path.grid { stroke: var(--line); stroke-width: 1; }
.plot path.spread-area { fill: var(--own-soft); stroke: none; }
.plot .y { position: absolute; right: calc(100% + .5rem); transform: translateY(-50%);
  white-space: nowrap; }
.plot .x { position: absolute; top: calc(100% + .3rem); transform: translateX(-50%);
  white-space: nowrap; }
.plot .dot { position: absolute; width: 7px; height: 7px; margin: -3.5px; border-radius: 50%;
  background: var(--floor); }
.plot .dot.own { background: var(--own); }
.plot .dot:hover { outline: 3px solid var(--own-soft); }
table { border-collapse: collapse; width: 100%; font-size: .875rem;
  font-variant-numeric: tabular-nums; margin-top: .6rem; }
th, td { text-align: right; padding: .35rem 0 .35rem 1.1rem; border-bottom: 1px solid var(--line);
  vertical-align: baseline; }
th { color: var(--soft); font-weight: 500; font-size: .8125rem; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr.own td { font-weight: 600; }
td { white-space: nowrap; }
td.wide { text-align: left; white-space: normal; }
.plots.pairs { grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); }
.scroll { overflow-x: auto; }
.met { color: var(--good); } .missed { color: var(--bad); } .open { color: var(--open); }
.state { font-weight: 650; white-space: nowrap; }
.empty { border: 1px dashed var(--line); border-radius: .6rem; padding: 1rem 1.1rem;
  color: var(--soft); margin-top: .75rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .45rem 1.5rem; margin: .75rem 0 0;
  font-size: .9375rem; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); }
@media (max-width: 52rem) {
  main { padding: 1.5rem 1rem 3rem; }
  .cards { grid-template-columns: 1fr 1fr; }
  .card { padding: .75rem .85rem; }
  .card b { font-size: 1.45rem; }
  .card b small { display: block; font-size: .8125rem; }
  .row { grid-template-columns: 1fr auto; gap: .6rem 1rem; padding: 1rem 0; }
  .row.head { display: none; }
  .row > .bars { grid-column: 1 / -1; }
  .row > .ratio { grid-row: 1; grid-column: 2; }
  .label { display: block; font-size: .75rem; color: var(--soft); }
  .plots { grid-template-columns: 1fr; }
  dl { grid-template-columns: 1fr; gap: .1rem; } dd { margin-bottom: .6rem; }
  table.checks td:last-child { min-width: 15rem; }
}
@media print { body { background: #fff; } .row, figure { break-inside: avoid; } }`;
