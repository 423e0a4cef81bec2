// The page of the viewer: its frame, with the places that its script fills. Sizes are fixed from
// the beginning, so that figures that come later move nothing.

interface ChartFrame {
  readonly id: string;
  readonly title: string;
  /** What it shows, in a few words beside the title. */
  readonly note: string;
}

const MAIN_CHARTS: readonly ChartFrame[] = [
  { id: 'rate', title: 'Requests/s', note: '' },
  { id: 'latency', title: 'Latency', note: '' },
  { id: 'heat', title: 'Latency of all requests', note: 'stronger color: more of them' },
];

const SMALL_CHARTS: readonly ChartFrame[] = [
  { id: 'connections', title: 'Connections', note: '' },
  { id: 'traffic', title: 'Bytes/s', note: '' },
  { id: 'turns', title: 'Turn time', note: '' },
  { id: 'pauses', title: 'GC pauses', note: '' },
  { id: 'memory', title: 'Memory', note: '' },
];

const TILES = [
  { id: 'rate', title: 'Requests/s' },
  { id: 'p99', title: 'P99 latency' },
  { id: 'errors', title: '5xx responses' },
  { id: 'open', title: 'Connections' },
  { id: 'cpu', title: 'Busiest worker' },
  { id: 'memory', title: 'Memory' },
];

const COLUMNS = [
  { id: 'route', title: 'Route' },
  { id: 'rate', title: 'Requests/s' },
  { id: 'p50', title: 'P50' },
  { id: 'p99', title: 'P99' },
  { id: 'client', title: '4xx' },
  { id: 'server', title: '5xx' },
];

function tile({ id, title }: (typeof TILES)[number]): string {
  return `<div class="tile" id="tile-${id}"><dt>${title}</dt>
<dd><b>–</b><span></span></dd></div>`;
}

function chart({ id, title, note }: ChartFrame, kind: string): string {
  return `<figure class="card chart ${kind}" id="chart-${id}" tabindex="0"
aria-labelledby="chart-${id}-title" aria-describedby="chart-${id}-text">
<figcaption><h2 id="chart-${id}-title">${title}</h2><span class="note">${note}</span>
<ul class="legend"></ul></figcaption>
<div class="plot"></div><p class="hidden" id="chart-${id}-text"></p></figure>`;
}

const header = ({ id, title }: (typeof COLUMNS)[number]): string =>
  `<th scope="col" class="${id}" data-column="${id}"><button type="button">${title}</button></th>`;

const range = (minutes: number): string =>
  `<button type="button" data-seconds="${minutes * 60}"
aria-pressed="${minutes === 1}">${minutes} min</button>`;

export const PAGE: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Metrics</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="uplot.css">
<link rel="stylesheet" href="style.css">
<script src="uplot.js" defer></script>
<script src="page.js" defer></script>
</head>
<body>
<header>
<div class="subject"><h1 id="target">Metrics</h1>
<p id="state" role="status" data-state="waiting"><i></i><span>connecting</span></p>
<p id="facts"></p></div>
<div class="controls">
<div class="choice" role="group" aria-label="Time range">${[1, 5, 15].map(range).join('')}</div>
<button type="button" id="pause" aria-pressed="false" aria-keyshortcuts="p">Pause</button>
<button type="button" id="theme" aria-keyshortcuts="t">Theme: system</button>
</div>
</header>
<main>
<section class="card health" id="health" data-level="waiting" aria-label="Health">
<p class="mark" aria-hidden="true"></p>
<div aria-live="polite"><h2 id="health-title">Connecting</h2><p id="health-reasons"></p></div>
<p id="since"></p>
</section>
<dl class="tiles">
${TILES.map(tile).join('\n')}
</dl>
<div class="main-charts">
${MAIN_CHARTS.map((frame) => chart(frame, 'large')).join('\n')}
<section class="card workers" aria-labelledby="workers-title">
<div class="caption"><h2 id="workers-title">Workers</h2>
<span class="note">processor time of each, up to one core</span></div>
<div class="scroll" tabindex="0" role="group" aria-label="Table of workers">
<table><thead><tr><th scope="col">Worker</th><th scope="col" class="strip">Load</th>
<th scope="col">Core</th><th scope="col">Req/s</th><th scope="col" class="wide">Open</th>
<th scope="col" class="wide">Turn max</th><th scope="col" class="wide">Memory</th></tr></thead>
<tbody></tbody></table>
</div>
</section>
</div>
<section class="card routes" aria-labelledby="routes-title">
<div class="caption"><h2 id="routes-title">Routes</h2>
<span class="note" id="routes-note"></span></div>
<div class="scroll" tabindex="0" role="group" aria-label="Table of routes">
<table><thead><tr>${COLUMNS.map(header).join('')}</tr></thead><tbody></tbody></table>
<p class="empty" id="routes-empty">No requests in this time.</p>
</div>
</section>
<div class="small-charts">
${SMALL_CHARTS.map((frame) => chart(frame, 'small')).join('\n')}
<section class="card tallies" aria-labelledby="tallies-title">
<div class="caption"><h2 id="tallies-title">Ends and faults</h2>
<span class="note">in the range</span></div>
<ul></ul>
</section>
</div>
</main>
<footer><p><kbd>p</kbd> pause
<kbd>1</kbd> <kbd>5</kbd> <kbd>0</kbd> for 1, 5, 15 minutes <kbd>t</kbd> theme
<kbd>Tab</kbd> to a chart, <kbd>←</kbd> <kbd>→</kbd> read it</p></footer>
</body>
</html>
`;
