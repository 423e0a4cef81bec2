// The live numbers of the server that sent this page, from its own metrics: an event each second.
// A server that shows its metrics to this client says so in a field of the page, so no request is
// made in vain to one that does not.

/** Percentiles are those of so many seconds. */
const WINDOW_SECONDS = 10;

export function showLiveNumbers(section, byId) {
  const state = byId('live-state');
  const [visit] = performance.getEntriesByType('navigation');
  const path = visit?.serverTiming?.find(({ name }) => name === 'metrics')?.description;
  if (!path) {
    state.textContent =
      'No numbers: this server does not offer its metrics to this browser. npm run serve does, on its own machine.';
    return;
  }
  const shown = Object.fromEntries(
    ['requests', 'rate', 'p50', 'p99', 'connections'].map((name) => [name, byId(`live-${name}`)]),
  );
  let snapshots = [];
  let events = null;

  const receive = ({ data }) => {
    const now = snapshotOf(JSON.parse(data));
    if (snapshots.length > 0 && snapshots[0].started !== now.started) snapshots = [];
    snapshots.push(now);
    while (now.time - snapshots[0].time > WINDOW_SECONDS + 0.5) snapshots.shift();
    const numbers = numbersOf(snapshots);
    for (const [name, element] of Object.entries(shown)) element.textContent = numbers[name];
    section.dataset.live = 'true';
    say(`Live, by ${now.driver} on Node ${now.node.replace(/^v/, '')}.`);
  };
  const fail = () => {
    section.dataset.live = 'false';
    const ended = events.readyState === EventSource.CLOSED;
    say(ended ? 'Stopped: the server does not show its metrics now.' : 'The server is gone; trying again.');
  };
  // Screen readers announce a change of the text.
  const say = (text) => {
    if (state.textContent !== text) state.textContent = text;
  };
  const openOrClose = () => {
    events?.close();
    events = null;
    // Rates over the time in which the page was hidden would be no live numbers.
    snapshots = [];
    if (document.hidden) return;
    events = new EventSource(path);
    events.addEventListener('metrics', receive);
    events.addEventListener('error', fail);
  };
  document.addEventListener('visibilitychange', openOrClose);
  openOrClose();
}

/** What is shown of the metrics, added up over workers and routes. */
function snapshotOf({ time, server, families }) {
  const seriesOf = (name) => families.find((family) => family.name === name)?.series ?? [];
  const sumOf = (name) => seriesOf(name).reduce((sum, { value }) => sum + value, 0);
  const durations = new Map();
  for (const { buckets } of seriesOf('http_server_request_duration_seconds')) {
    for (const [bound, count] of buckets) durations.set(bound, (durations.get(bound) ?? 0) + count);
  }
  return {
    time,
    started: server.started,
    driver: server.driver,
    node: server.node,
    requests: sumOf('vibing_worker_requests_total'),
    connections: sumOf('vibing_connections_open'),
    durations,
  };
}

function numbersOf(snapshots) {
  const now = snapshots.at(-1);
  const last = snapshots.at(-2);
  const durations = addedBetween(snapshots[0].durations, now.durations);
  const rate = last ? (now.requests - last.requests) / (now.time - last.time) : 0;
  return {
    requests: now.requests.toLocaleString('en'),
    rate: last ? rate.toLocaleString('en', { maximumFractionDigits: rate < 100 ? 1 : 0 }) : '-',
    p50: milliseconds(percentile(durations, 0.5)),
    p99: milliseconds(percentile(durations, 0.99)),
    connections: now.connections.toLocaleString('en'),
  };
}

/** Pairs of an upper bound and the count that was added, ascending. */
function addedBetween(before, now) {
  return [...now]
    .map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)])
    .filter(([, count]) => count > 0)
    .sort(([one], [other]) => one - other);
}

/** The upper bound of the bucket of this rank; null without values. */
function percentile(buckets, share) {
  const count = buckets.reduce((sum, [, each]) => sum + each, 0);
  let rank = Math.max(1, Math.ceil(share * count));
  for (const [bound, each] of buckets) {
    rank -= each;
    if (rank <= 0) return bound;
  }
  return null;
}

function milliseconds(seconds) {
  if (seconds === null) return '-';
  const value = seconds * 1000;
  return `${value < 10 ? value.toPrecision(2) : Math.round(value)} ms`;
}
