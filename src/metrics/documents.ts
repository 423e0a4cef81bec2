// The documents that show metrics, by the name of their format.

import { jsonFormat, type ServerFacts } from './json-format.ts';
import type { Reader } from './reader.ts';
import { TextFormat, textFormat } from './text-format.ts';

export type DocumentFormat = 'text' | 'openmetrics' | 'json';

/** The chunks of one document; '' where nothing is ready yet. `seconds` are those since 1970. */
export function documentOf(
  format: DocumentFormat,
  reader: Reader,
  facts: ServerFacts,
  seconds: number,
): Generator<string> {
  if (format === 'json') return jsonFormat(reader, facts, seconds);
  return textFormat(reader, format === 'text' ? TextFormat.Prometheus : TextFormat.OpenMetrics);
}
