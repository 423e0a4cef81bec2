// The style sheet of the page of the viewer. Both themes are in light-dark(); the switch of the
// page sets color-scheme. Charts read their colors from the variables.

/** A legend in a row of its own, each figure below its name, where a card is too narrow. */
const LEGEND_BELOW = `
  figcaption { height: auto; flex-wrap: wrap; }
  .legend {
    margin-left: 0; width: 100%; display: grid; grid-template-columns: repeat(4, 1fr);
    gap: 0.25rem;
  }
  .legend li { flex-wrap: wrap; align-content: start; }
  .legend b { flex-basis: 100%; text-align: left; min-height: 1.4em; }
`;

export const STYLE: string = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f5f7, #0e1116); --card: light-dark(#ffffff, #161b22);
  --text: light-dark(#18202b, #e6eaf0); --soft: light-dark(#566072, #98a3b3);
  --line: light-dark(#e2e5ea, #272e38); --grid: light-dark(#edeff2, #20262f);
  --button: light-dark(#ffffff, #1d232c); --edge: light-dark(#828c9b, #646f7f);
  --accent: light-dark(#1857c4, #7cb0ff); --ring: light-dark(#2f66e8, #7aa5ff);
  --good: light-dark(#12703a, #5fd38d); --watch: light-dark(#8a5300, #f0b429);
  --bad: light-dark(#b3261e, #ff8a80);
  --s2: light-dark(#2f7fd6, #4c9be8); --s3: light-dark(#7a8798, #8592a4);
  --s4: light-dark(#d98a00, #e8a93a); --s5: light-dark(#cf3a30, #f2685d);
  --s1: light-dark(#9b7fd4, #a994dd);
  --p0: light-dark(#5aa9e6, #4f9fe0); --p1: light-dark(#2d6cdf, #79b0ff);
  --p2: light-dark(#7a3fc4, #b98cff); --p3: light-dark(#b3206e, #ff7fb8);
  --heat: light-dark(#16439c, #8fc1ff); --heat-line: light-dark(#b3206e, #ff7fb8);
}
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 14px/1.4 system-ui, -apple-system, 'Segoe UI', sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, p, dl, dd, ul, figure { margin: 0; padding: 0; }
ul { list-style: none; }
header, main, footer { max-width: 92rem; margin: 0 auto; padding: 0 1.25rem; }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1.5rem;
  padding-top: 0.9rem; padding-bottom: 0.9rem;
}
.subject {
  flex: 1 1 14rem; min-width: 0; display: grid; grid-template-columns: max-content 1fr;
  gap: 0 0.75rem;
}
h1, #facts { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
h1 { font-size: 1.15rem; line-height: 1.3; grid-column: 1 / -1; }
#facts { color: var(--soft); min-height: 1.4em; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; }
button {
  font: inherit; color: inherit; background: var(--button); cursor: pointer;
  border: 1px solid var(--edge); border-radius: 0.5rem; padding: 0.35rem 0.75rem;
}
button:hover { border-color: var(--accent); }
button[aria-pressed=true] {
  background: var(--accent); border-color: var(--accent); color: var(--card);
}
:focus-visible { outline: 2px solid var(--ring); outline-offset: 2px; }
#pause { width: 5.6rem; }
#theme { width: 8.6rem; }
.choice { display: flex; }
.choice button { border-radius: 0; margin-left: -1px; }
.choice button:first-child { border-radius: 0.5rem 0 0 0.5rem; margin-left: 0; }
.choice button:last-child { border-radius: 0 0.5rem 0.5rem 0; }
#state {
  display: flex; align-items: center; gap: 0.5rem; min-width: 6.6rem; font-weight: 600;
  white-space: nowrap;
}
#state i { width: 0.65rem; height: 0.65rem; border-radius: 50%; background: var(--soft); }
#state[data-state=live] { color: var(--good); }
#state[data-state=live] i { background: var(--good); animation: pulse 2s infinite; }
#state[data-state=paused] { color: var(--watch); }
#state[data-state=paused] i { background: var(--watch); border-radius: 0; }
#state[data-state=away] { color: var(--bad); }
#state[data-state=away] i { background: var(--bad); }
@keyframes pulse { 50% { opacity: 0.35; } }
@media (prefers-reduced-motion: reduce) { #state i { animation: none !important; } }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; min-width: 0;
}
main { display: grid; gap: 0.75rem; }
.health {
  display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: 0.25rem 1rem;
  padding: 0.75rem 1.1rem; min-height: 4.4rem; border-left: 0.4rem solid var(--tone);
  --tone: var(--soft);
}
.health[data-level=good] { --tone: var(--good); }
.health[data-level=watch] { --tone: var(--watch); }
.health[data-level=bad] { --tone: var(--bad); }
.health h2 { font-size: 1.25rem; line-height: 1.25; color: var(--tone); }
.mark {
  width: 2.1rem; height: 2.1rem; border-radius: 50%; display: grid; place-items: center;
  border: 2px solid var(--tone); color: var(--tone); font-weight: 700; font-size: 1.1rem;
}
.mark::before { content: '…'; }
[data-level=good] .mark::before { content: '✓'; }
[data-level=watch] .mark::before { content: '!'; }
[data-level=bad] .mark::before { content: '✕'; }
#health-reasons { min-height: 1.4em; }
#since {
  min-height: 1.4em; min-width: 10rem; text-align: right; color: var(--soft);
  white-space: pre-line;
}
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 0.75rem; }
.tile {
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem;
  padding: 0.65rem 0.9rem 0.7rem; min-width: 0;
}
.tile dt { color: var(--soft); font-size: 0.85rem; }
.tile b {
  display: block; font-size: 1.65rem; line-height: 1.25; font-weight: 650; white-space: nowrap;
  letter-spacing: -0.01em;
}
.tile span {
  display: block; color: var(--soft); font-size: 0.82rem; min-height: 1.4em; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis;
}
.tile[data-level=bad] b { color: var(--bad); }
.tile[data-level=watch] b { color: var(--watch); }
.main-charts { display: grid; grid-template-columns: repeat(2, 1fr); gap: 0.75rem; }
.small-charts { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.75rem; }
figcaption, .caption {
  display: flex; align-items: baseline; gap: 0.5rem; padding: 0.65rem 0.9rem 0.35rem;
  height: 2.5rem; overflow: hidden;
}
h2 { font-size: 0.95rem; font-weight: 650; white-space: nowrap; }
.note { color: var(--soft); font-size: 0.82rem; white-space: nowrap; overflow: hidden; }
.note { text-overflow: ellipsis; }
.legend { display: flex; gap: 0.6rem; margin-left: auto; font-size: 0.82rem; }
.legend li { display: flex; align-items: center; gap: 0 0.25rem; white-space: nowrap; }
.legend i { width: 0.7rem; height: 0.7rem; border-radius: 0.2rem; flex: none; }
.legend span { color: var(--soft); }
.legend b { font-weight: 600; min-width: 4.3em; text-align: right; }
.plot { position: relative; padding: 0 0.4rem 0.35rem 0.2rem; }
.large { container: large / inline-size; }
.small { container: small / inline-size; }
@container large (max-width: 38rem) {${LEGEND_BELOW}}
@container small (max-width: 25rem) {${LEGEND_BELOW}}
.large .plot { height: 15.5rem; }
.small .plot { height: 9.5rem; }
.plot .uplot { position: absolute; }
.u-cursor-x, .u-cursor-y { border-color: var(--edge) !important; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.scroll { overflow: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.35rem 0.9rem; text-align: right; white-space: nowrap; font-weight: 400; }
th { color: var(--soft); font-size: 0.85rem; position: sticky; top: 0; background: var(--card); }
tbody tr { border-top: 1px solid var(--line); height: 2.1rem; }
tbody tr:hover { background: var(--grid); }
.workers { display: flex; flex-direction: column; }
.workers .scroll { height: 15.5rem; margin-bottom: 0.35rem; }
.workers th, .workers td { padding: 0.3rem 0.6rem; }
.workers th:first-child, .workers td:first-child { text-align: left; padding-left: 0.9rem; }
.workers .strip { width: 45%; text-align: left; }
.workers canvas { display: block; width: 100%; height: 1.35rem; border-radius: 0.25rem; }
.workers tbody[data-size=few] canvas { height: 2.5rem; }
.workers tbody[data-size=one] canvas { height: 11rem; }
.workers td[data-level=watch] { color: var(--watch); font-weight: 650; }
.routes .scroll { height: calc(11 * 2.1rem); }
.routes thead tr { height: 2.1rem; }
.routes table { table-layout: fixed; min-width: 46rem; }
.routes th { padding: 0; width: 6.6rem; }
.routes th.route { width: auto; }
.routes th.rate { width: 15rem; }
.routes th button {
  width: 100%; border: 0; border-radius: 0; background: none; text-align: right; color: inherit;
  padding: 0.35rem 0.9rem;
}
.routes th.route button, .routes td.route { text-align: left; }
.routes th button:focus-visible { outline-offset: -2px; }
.routes th[aria-sort] button { color: var(--text); font-weight: 650; }
.routes th button::after { content: ' ↓'; visibility: hidden; }
.routes th[aria-sort=descending] button::after { visibility: visible; }
.routes th[aria-sort=ascending] button::after { content: ' ↑'; visibility: visible; }
td.route { overflow: hidden; text-overflow: ellipsis; }
td.route b {
  display: inline-block; min-width: 4.2rem; font-size: 0.82rem; font-weight: 600;
  color: var(--accent);
}
td.rate { position: relative; }
td.rate i {
  position: absolute; left: 0.9rem; top: calc(50% - 0.3rem); height: 0.6rem; min-width: 1px;
  background: var(--s2); opacity: 0.75; border-radius: 0.2rem;
}
td.server[data-level=bad] { color: var(--bad); font-weight: 650; }
td.server[data-level=watch] { color: var(--watch); }
.empty { padding: 2rem; text-align: center; color: var(--soft); }
.tallies ul { height: 9.5rem; overflow: auto; padding: 0 0.9rem 0.5rem; }
.tallies li { display: flex; gap: 0.75rem; padding: 0.12rem 0; }
.tallies span { color: var(--soft); min-width: 4.6rem; }
.tallies i { font-style: normal; }
.tallies b { margin-left: auto; font-weight: 600; }
footer { padding-top: 0.9rem; padding-bottom: 1.5rem; color: var(--soft); font-size: 0.85rem; }
kbd {
  font: inherit; padding: 0 0.35rem; border: 1px solid var(--line); border-radius: 0.3rem;
  background: var(--card);
}
@media (max-width: 68rem) {
  .tiles { grid-template-columns: repeat(3, 1fr); }
  .main-charts { grid-template-columns: 1fr; }
  .small-charts { grid-template-columns: repeat(2, 1fr); }
}
@media (max-width: 52rem) {
  .routes table { min-width: 0; }
  .routes th { width: 5.4rem; }
  .routes th.rate { width: 7.6rem; }
  td.rate i { display: none; }
}
@media (max-width: 40rem) {
  header, main, footer { padding-left: 0.75rem; padding-right: 0.75rem; }
  .subject { flex-basis: 100%; }
  .controls { width: 100%; }
  #state, #facts { grid-column: 1 / -1; }
  #facts { white-space: normal; min-height: 2.8em; }
  #health-reasons { height: 5.6em; overflow: auto; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 0.5rem; }
  main, .main-charts, .small-charts { gap: 0.5rem; }
  .small-charts { grid-template-columns: 1fr; }
  .health { grid-template-columns: auto 1fr; }
  #since { grid-column: 1 / -1; text-align: left; white-space: normal; }
  .large .plot { height: 12.5rem; }
  figcaption, .caption { height: auto; flex-wrap: wrap; }
  .chart .note { display: none; }
  .controls { gap: 0.35rem; font-size: 0.8rem; flex-wrap: nowrap; white-space: nowrap; }
  .choice button { padding: 0.4rem 0.45rem; }
  #pause { width: 4.1rem; padding: 0.4rem 0.2rem; }
  #theme { width: 6.6rem; padding: 0.4rem 0.2rem; }
  .workers .scroll { height: auto; min-height: 6rem; max-height: 15.5rem; }
  .workers tbody[data-size=one] canvas { height: 4rem; }
  .routes th { width: 4.4rem; }
  .routes th.rate { width: 6rem; }
  .routes th button, .routes td { padding-left: 0.4rem; padding-right: 0.5rem; }
  .routes .p50, .routes .client, .workers .wide { display: none; }
  td.route b { display: block; line-height: 1.1; min-width: 0; }
  footer { display: none; }
}
`;
