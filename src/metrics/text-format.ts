// Metrics as text, in chunks: Prometheus' text format 0.0.4, or OpenMetrics 1.0.

import { bucketOfBound } from './buckets.ts';
import type { Family } from './family.ts';
import type { Labels, Reader, Series } from './reader.ts';

export const TextFormat = { Prometheus: 0, OpenMetrics: 1 } as const;
export type TextFormat = (typeof TextFormat)[keyof typeof TextFormat];

/** The chunks of one document; '' where nothing is ready yet. */
export function* textFormat(reader: Reader, format: TextFormat): Generator<string> {
  for (const _ of reader.update()) yield '';
  for (const { family, series } of reader.families()) {
    yield headOf(family, format);
    const lines = family.type === 'histogram' ? histogramLines(family) : valueLines(family);
    for (const one of series) yield lines(reader, one);
  }
  if (format === TextFormat.OpenMetrics) yield '# EOF\n';
}

function headOf({ name, type, unit, help }: Family, format: TextFormat): string {
  if (format === TextFormat.Prometheus) {
    return `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${type}\n`;
  }
  const family = type === 'counter' ? name.replace(/_total$/, '') : name;
  const unitLine = unit === '' ? '' : `# UNIT ${family} ${unit}\n`;
  return `# TYPE ${family} ${type}\n${unitLine}# HELP ${family} ${escaped(help)}\n`;
}

type Lines = (reader: Reader, series: Series) => string;

function valueLines(family: Family): Lines {
  return (reader, series) => {
    const value = reader.value(family, series);
    if (value === null) return '';
    const labels = labelText(series);
    return `${family.name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
  };
}

/** The counts up to each bound, which is that of a bucket, are exact. */
function histogramLines({ name, base = 1, bounds = [] }: Family): Lines {
  const ends = bounds.map((bound) => bucketOfBound(bound, base) + 1);
  // OpenMetrics wants numbers with a point.
  const texts = bounds.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound)));
  return (reader, series) => {
    const { count, sum, counts } = reader.distribution(series);
    const labels = labelText(series);
    const before = `${name}_bucket{${labels}${labels === '' ? '' : ','}le="`;
    let text = '';
    let seen = 0;
    let at = 0;
    for (let index = 0; index < ends.length; index++) {
      for (; at < ends[index]; at++) seen += counts[at];
      text += `${before}${texts[index]}"} ${seen}\n`;
    }
    const after = labels === '' ? '' : `{${labels}}`;
    text += `${before}+Inf"} ${count}\n`;
    return `${text}${name}_sum${after} ${sum}\n${name}_count${after} ${count}\n`;
  };
}

function labelText(series: Series): string {
  if (series.text === '') series.text = labelsOf(series.labels);
  return series.text;
}

function labelsOf(labels: Labels): string {
  return labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',');
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}

/** In the older format a quote in a help text is not escaped. */
function escapedHelp(text: string): string {
  return text.replace(/[\\\n]/g, (found) => (found === '\n' ? '\\n' : '\\\\'));
}
