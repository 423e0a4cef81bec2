// What the access log knows of a response, and the names of its fields.

import { nearMiss } from '../base/near-miss.ts';
import { shown } from '../base/shown.ts';

export interface LogEntry {
  readonly timeMs: number;
  readonly address: string;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly status: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly complete: boolean;
  readonly referer: string;
  readonly userAgent: string;
  readonly host: string;
  /** What is wrong with a request that was refused, as metrics name it. */
  readonly fault: string | undefined;
  /** The pattern of the route, where there is one. */
  readonly route: string | undefined;
  /** The object for middleware, in which requestId() leaves an identifier. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** The name of a field of the access log. */
export type LogField =
  | 'time'
  | 'address'
  | 'method'
  | 'target'
  | 'version'
  | 'referer'
  | 'userAgent'
  | 'host'
  | 'status'
  | 'bytes'
  | 'duration_ms'
  | 'route'
  | 'requestId'
  | 'complete'
  | 'fault';

/** The value of each field; undefined where a response has none. */
export const LOG_FIELDS: Readonly<Record<LogField, (entry: LogEntry) => unknown>> = {
  time: (entry) => new Date(entry.timeMs).toISOString(),
  address: (entry) => entry.address,
  method: (entry) => entry.method,
  target: (entry) => entry.target,
  version: (entry) => entry.version,
  referer: (entry) => entry.referer,
  userAgent: (entry) => entry.userAgent,
  host: (entry) => entry.host,
  status: (entry) => entry.status,
  bytes: (entry) => entry.bytes,
  duration_ms: (entry) => Number(entry.durationMs.toFixed(3)),
  route: (entry) => entry.route,
  requestId: ({ state }) => {
    const { requestId } = state;
    return typeof requestId === 'string' ? requestId : undefined;
  },
  complete: (entry) => entry.complete,
  fault: (entry) => entry.fault,
};

/** The fields whose values come from `state`. */
export const STATE_FIELDS: readonly LogField[] = ['requestId'];

export const LOG_FIELD_NAMES = Object.keys(LOG_FIELDS) as readonly LogField[];

/** Throws a TypeError for a name that is no field, with the one that may be meant. */
export function checkLogField(name: unknown): asserts name is LogField {
  if (typeof name === 'string' && Object.hasOwn(LOG_FIELDS, name)) return;
  const near = typeof name === 'string' ? nearMiss(name, LOG_FIELD_NAMES) : undefined;
  const hint =
    near === undefined ? `there are ${LOG_FIELD_NAMES.join(', ')}` : `did you mean ${near}?`;
  throw new TypeError(`accessLog: there is no field ${shown(name)}; ${hint}`);
}
