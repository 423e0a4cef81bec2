// One line per answer, in the combined format that log tools read, or as JSON.

import { escaped, safeJson } from '../base/log-text.ts';
import { checkOptions, choice, FUNCTION } from '../base/options.ts';
import type { Middleware } from '../exchange/handler.ts';
import { exchangeOf } from '../exchange/request.ts';

export interface AccessLogOptions {
  /** 'combined' (the default), 'common' or 'json'. */
  readonly format?: 'combined' | 'common' | 'json';
  /** Where lines go, each without its line end; standard output unless given. */
  readonly write?: (line: string) => void;
}

interface Entry {
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
}

const FORMATS = { combined, common, json } as const;
const OPTIONS = { format: choice(Object.keys(FORMATS)), write: FUNCTION } as const;

/** Throws a TypeError for options that are unknown or unfit. */
export function accessLog(options: AccessLogOptions = {}): Middleware {
  checkOptions('accessLog', options, OPTIONS);
  const format = FORMATS[options.format ?? 'combined'];
  return (request, response, next) => {
    const { services } = exchangeOf(request);
    const write = options.write ?? ((line: string) => services.asyncIo.print(`${line}\n`));
    // Everything of the request is read now: the answer may be sent when it is over.
    const { remoteAddress: address, method, target, httpVersion: version } = request;
    const referer = request.header('referer') ?? '';
    const userAgent = request.header('user-agent') ?? '';
    response.afterSend(({ status, bytes, durationMs, complete }) => {
      const timeMs = services.wallMs();
      // Property by property: spreading two objects into one takes longer than all the rest.
      const entry = {
        timeMs,
        address,
        method,
        target,
        version,
        referer,
        userAgent,
        status,
        bytes,
        durationMs,
        complete,
      };
      write(format(entry));
    });
    return next();
  };
}

function common(entry: Entry): string {
  const time = new Date(entry.timeMs);
  const line = `${entry.method} ${entry.target} HTTP/${entry.version}`;
  const bytes = entry.bytes === 0 ? '-' : String(entry.bytes);
  return `${entry.address || '-'} - - [${clock(time)}] "${quoted(line)}" ${entry.status} ${bytes}`;
}

function combined(entry: Entry): string {
  const referer = quoted(entry.referer || '-');
  return `${common(entry)} "${referer}" "${quoted(entry.userAgent || '-')}"`;
}

function json(entry: Entry): string {
  const { timeMs, durationMs, complete, ...rest } = entry;
  const time = new Date(timeMs).toISOString();
  const known = { time, ...rest, duration_ms: Number(durationMs.toFixed(3)) };
  return safeJson(complete ? known : { ...known, complete });
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `10/Oct/2000:13:55:36 +0000`. */
function clock(time: Date): string {
  const iso = time.toISOString();
  const month = MONTHS[time.getUTCMonth()];
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** Nothing a client sends may end the quotes or the line. Log tools expect ASCII. */
function quoted(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/g, (character) =>
    character === '"' || character === '\\' ? `\\${character}` : escaped(character),
  );
}
