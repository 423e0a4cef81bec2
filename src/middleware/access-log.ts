// The access log: one line per response, in the combined format that log tools read, as JSON, or by
// a template.

import { resolve } from 'node:path';
import { reopenLogsOnSignal } from '../async-io/log-files.ts';
import { checkOptions, FUNCTION, type OptionRule } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Summary } from '../exchange/callbacks.ts';
import type { Services } from '../exchange/exchange.ts';
import type { Middleware } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import { whenRefused } from '../exchange/refused.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import { checkLogField, type LogEntry, type LogField, STATE_FIELDS } from './log-entry.ts';
import { combined, common, jsonOf, templateOf } from './log-format.ts';

/** Options of accessLog(). */
export interface AccessLogOptions {
  /**
   * 'combined' (the default), 'common', 'json', or a template with names of fields in braces, as
   * '{address} "{method} {target}" {status} {duration_ms}'.
   */
  readonly format?: 'combined' | 'common' | 'json' | (string & {});
  /**
   * With 'json', the fields of a line in their order. Default: all but `host`, and `complete` only
   * when it is false. A line has no fields without a value.
   */
  readonly fields?: readonly LogField[];
  /**
   * Appends lines to this file instead of standard output. SIGUSR1 opens it again, and does not
   * open Node's inspector any more.
   */
  readonly file?: string;
  /** Called with each line, without its line end, instead of writing it. */
  readonly write?: (line: string) => void;
}

const TEXT: OptionRule = { wanted: 'text', fits: (value) => typeof value === 'string' };

const OPTIONS = {
  format: TEXT,
  fields: {
    wanted: 'a list of names, not empty',
    fits: (value: unknown) => Array.isArray(value) && value.length > 0,
  },
  file: {
    wanted: 'the path of a file',
    fits: (value: unknown) => typeof value === 'string' && value !== '' && !value.includes('\0'),
  },
  write: FUNCTION,
} as const;

type Format = (entry: LogEntry) => string;

/** Throws a TypeError for unknown or invalid options. */
export function accessLog(options: AccessLogOptions = {}): Middleware {
  checkOptions('accessLog', options, OPTIONS);
  const { write } = options;
  // Also after a later chdir() it is the same file.
  const file = options.file === undefined ? undefined : resolve(options.file);
  if (file !== undefined && write !== undefined) {
    throw new TypeError('accessLog: lines go to a file or to write(), not to both');
  }
  const format = formatOf(options);
  const withState = readsState(options);
  if (file !== undefined) reopenLogsOnSignal();
  const log = (begun: Begun, summary: Summary, services: Services) => {
    const line = format(entryOf(begun, summary, services.wallMs()));
    // A promise of a write() that is async is returned: its rejection is logged.
    if (write !== undefined) return write(line);
    if (file !== undefined) services.asyncIo.printTo(file, `${line}\n`);
    else services.asyncIo.print(`${line}\n`);
  };
  const middleware: Middleware = (request, response, next) => {
    const { services } = exchangeOf(request);
    // All of the request is read now: the response may be sent after the request is released.
    const begun = begin(request, withState);
    response.afterSend((summary) => log(begun, summary, services));
    return next();
  };
  return whenRefused(middleware, (refused, summary, services) =>
    log({ ...NOT_READ, ...refused }, summary, services),
  );
}

noteMaker(accessLog, 'accessLog');

function formatOf({ format = 'combined', fields }: AccessLogOptions): Format {
  if (fields !== undefined && format !== 'json') {
    throw new TypeError(
      "accessLog: fields are those of the format 'json'; a template names its own",
    );
  }
  switch (format) {
    case 'combined':
      return combined;
    case 'common':
      return common;
    case 'json':
      for (const name of fields ?? []) checkLogField(name);
      return jsonOf(fields === undefined ? null : [...fields]);
    default:
      if (/\{\w+\}/.test(format)) return templateOf(format);
      throw new TypeError(
        "accessLog: format is one of 'combined', 'common', 'json', or a template with names of " +
          `fields in braces, given ${shown(format)}`,
      );
  }
}

/** Whether a line has a value of `request.state`, which is made when it is first read. */
function readsState({ format = 'combined', fields }: AccessLogOptions): boolean {
  if (format === 'json') return fields?.some((name) => STATE_FIELDS.includes(name)) ?? true;
  return STATE_FIELDS.some((name) => format.includes(`{${name}}`));
}

const NO_STATE: LogEntry['state'] = Object.freeze({});

type Begun = Omit<LogEntry, 'timeMs' | 'status' | 'bytes' | 'durationMs' | 'complete'>;

/** Of a refused request no field is read. */
const NOT_READ = { referer: '', userAgent: '', host: '', route: undefined, state: NO_STATE };

function begin(request: Request, withState: boolean): Begun {
  const { method, target, httpVersion, remoteAddress } = request;
  return {
    address: remoteAddress,
    method,
    target,
    version: httpVersion,
    referer: request.header('referer') ?? '',
    userAgent: request.header('user-agent') ?? '',
    host: request.header('host') ?? '',
    route: request.route,
    state: withState ? request.state : NO_STATE,
    fault: undefined,
  };
}

/** Property by property: spreading two objects into one takes longer than everything else. */
function entryOf(begun: Begun, summary: Summary, timeMs: number): LogEntry {
  return {
    timeMs,
    address: begun.address,
    method: begun.method,
    target: begun.target,
    version: begun.version,
    referer: begun.referer,
    userAgent: begun.userAgent,
    host: begun.host,
    route: begun.route,
    state: begun.state,
    fault: begun.fault,
    status: summary.status,
    bytes: summary.bytes,
    durationMs: summary.durationMs,
    complete: summary.complete,
  };
}
