// Parses the arguments of `vibing metrics`. Every problem is a line, and all are reported at once.

import { nearMiss } from '../../base/near-miss.ts';
import { shown } from '../../base/shown.ts';
import { shownName, suggestion } from '../../server/config/lines.ts';
import { metricsUrl } from '../../viewer/address.ts';
import { type LoadFlag, timeFrom } from '../load-flags.ts';

export interface MetricsFlags {
  /** Where the metrics are; null when that is a problem. */
  readonly url: URL | null;
  readonly web: boolean;
  /** The port of the viewer in the browser; 0 is any free one. */
  readonly port: number;
  readonly once: boolean;
  readonly json: boolean;
  readonly intervalMs: number;
  /** The file with further authorities; null without one. */
  readonly caFile: string | null;
  readonly insecure: boolean;
  readonly help: boolean;
  readonly problems: readonly string[];
}

const INTERVAL_MS = 1_000;
/** A server makes a snapshot in some milliseconds; more often would be a load. */
const INTERVAL_MS_MIN = 200;
const INTERVAL_MS_MAX = 60_000;
const PORT_MAX = 65_535;

/** In the order of the help. */
export const METRICS_FLAGS: readonly LoadFlag[] = [
  { long: 'web', slot: '', what: 'show them in the browser: serve a page on 127.0.0.1' },
  { long: 'port', short: 'p', slot: 'N', what: 'the port of that page (default 0: any free one)' },
  { long: 'once', slot: '', what: 'print the figures since the start of the server, and end' },
  { long: 'json', slot: '', what: 'with --once: print the snapshot as JSON' },
  {
    long: 'interval',
    short: 'i',
    slot: 'TIME',
    what: 'time between snapshots: 1, 2s, 500ms (default 1s)',
  },
  { long: 'ca', slot: 'FILE', what: 'of an https URL: accept the authority in this PEM file, too' },
  { long: 'insecure', slot: '', what: 'of an https URL: accept any certificate' },
  { long: 'help', short: 'h', slot: '', what: 'print this' },
];

const NAMES = METRICS_FLAGS.map(({ long }) => `--${long}`);

export function parseMetricsFlags(args: readonly string[]): MetricsFlags {
  const parse = new MetricsParse(args);
  parse.all();
  return parse.result();
}

class MetricsParse {
  readonly #args: readonly string[];
  readonly #problems: string[] = [];
  readonly #plain: string[] = [];
  readonly #given = new Set<string>();
  #port = 0;
  #intervalMs = INTERVAL_MS;
  #caFile: string | null = null;
  #at = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  all(): void {
    while (this.#at < this.#args.length) {
      const arg = this.#args[this.#at];
      this.#at += 1;
      if (arg === '--') {
        this.#plain.push(...this.#args.slice(this.#at));
        return;
      }
      if (arg.startsWith('-') && arg !== '-') this.#flag(arg);
      else this.#plain.push(arg);
    }
  }

  result(): MetricsFlags {
    const given = this.#given;
    const help = given.has('help');
    const url = help ? null : this.#url();
    for (const [flag, other] of EXCLUSIVE) {
      if (!given.has(flag) || !given.has(other)) continue;
      this.#problems.push(`--${flag} and --${other} exclude each other`);
    }
    for (const [flag, needed] of NEEDS) {
      if (given.has(flag) && !given.has(needed)) {
        this.#problems.push(`--${flag}: only with --${needed}`);
      }
    }
    return {
      url,
      web: given.has('web'),
      port: this.#port,
      once: given.has('once'),
      json: given.has('json'),
      intervalMs: this.#intervalMs,
      caFile: this.#caFile,
      insecure: given.has('insecure'),
      help,
      problems: this.#problems,
    };
  }

  #url(): URL | null {
    const [first, ...rest] = this.#plain;
    for (const arg of rest) this.#problems.push(`${shown(arg)}: unexpected argument`);
    if (first === undefined) {
      this.#problems.push(
        'an address is needed, such as 8080 or http://127.0.0.1:8080/metrics; ' +
          '"vibing metrics --help" lists the flags',
      );
      return null;
    }
    const url = metricsUrl(first);
    if (typeof url !== 'string') return url;
    this.#problems.push(url);
    return null;
  }

  #flag(arg: string): void {
    const equals = arg.indexOf('=');
    const given = equals < 0 ? arg : arg.slice(0, equals);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    const flag = METRICS_FLAGS.find(
      ({ long, short }) => given === `--${long}` || given === `-${short}`,
    );
    if (flag === undefined) {
      const meant = nearMiss(given, NAMES);
      const advice =
        meant === undefined ? '; "vibing metrics --help" lists the flags' : suggestion(meant);
      this.#problems.push(`${shownName(given)}: no such flag${advice}`);
      return;
    }
    this.#given.add(flag.long);
    if (flag.slot === '') {
      if (inline !== undefined) this.#problems.push(`${given}: takes no value`);
      return;
    }
    const value = inline ?? this.#args[this.#at];
    if (inline === undefined) this.#at += 1;
    if (value === undefined) {
      this.#problems.push(`${given}: given no value, allowed: ${given} ${flag.slot}`);
    } else if (flag.long === 'port') this.#setPort(given, value);
    else if (flag.long === 'ca') this.#caFile = value;
    else this.#setInterval(given, value);
  }

  #setPort(flag: string, text: string): void {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    if (port >= 0 && port <= PORT_MAX) this.#port = port;
    else {
      const allowed = `an integer from 0 to ${PORT_MAX}`;
      this.#problems.push(`${flag}: given ${shown(text)}, allowed: ${allowed}`);
    }
  }

  #setInterval(flag: string, text: string): void {
    const ms = timeFrom(text);
    if (ms !== null && ms >= INTERVAL_MS_MIN && ms <= INTERVAL_MS_MAX) this.#intervalMs = ms;
    else {
      const allowed = `a time from ${INTERVAL_MS_MIN}ms to ${INTERVAL_MS_MAX / 1000}s`;
      this.#problems.push(`${flag}: given ${shown(text)}, allowed: ${allowed}`);
    }
  }
}

const EXCLUSIVE = [
  ['web', 'once'],
  ['web', 'interval'],
  ['once', 'interval'],
  ['ca', 'insecure'],
] as const;
const NEEDS = [
  ['json', 'once'],
  ['port', 'web'],
] as const;
