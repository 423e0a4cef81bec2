// Which format of metrics a client prefers, by its Accept (RFC 9110 12.5.1).

export type MetricsFormat = 'text' | 'openmetrics' | 'json' | 'events';

const FORMATS: ReadonlyMap<string, MetricsFormat> = new Map([
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/json', 'json'],
  ['text/event-stream', 'events'],
  ['text/*', 'text'],
  ['application/*', 'json'],
  ['*/*', 'text'],
]);

/** Prometheus' text where the client names no format that there is. */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  let best: MetricsFormat = 'text';
  let bestWeight = 0;
  for (const range of (accept ?? '').split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const format = FORMATS.get(type);
    if (format === undefined || !isVersion(format, parameters)) continue;
    const weight = weightOf(parameters);
    if (weight <= bestWeight) continue;
    best = format;
    bestWeight = weight;
  }
  return best;
}

/** Prometheus lists versions of OpenMetrics; that of drafts is not served. */
function isVersion(format: MetricsFormat, parameters: readonly string[]): boolean {
  if (format !== 'openmetrics') return true;
  const version = parameters.find((parameter) => parameter.startsWith('version='));
  return version === undefined || /^version="?1\.\d+\.\d+"?$/.test(version);
}

function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = given === undefined ? 1 : Number(given.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
