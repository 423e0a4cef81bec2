// Where a program calls a function: the file and line, for messages about a registration.

import { fileURLToPath } from 'node:url';

const FRAME = /^\s*at (?:.*? \()?(?:async )?(?<file>.+):(?<line>\d+):\d+\)?$/m;

/** 'FILE:LINE' of the call of `called` that is running; '' when it is not known. */
export function callPlace(called: (...given: never[]) => unknown): string {
  const { stackTraceLimit } = Error;
  const record: { stack?: unknown } = {};
  // Unlike an assignment this does not throw where Node's own objects are frozen.
  Reflect.set(Error, 'stackTraceLimit', 1);
  Error.captureStackTrace(record, called);
  const { stack } = record;
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  const groups = typeof stack === 'string' ? FRAME.exec(stack)?.groups : undefined;
  if (groups === undefined) return '';
  const { file, line } = groups;
  return `${file.startsWith('file:') ? fileURLToPath(file) : file}:${line}`;
}
