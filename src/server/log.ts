// The log of a server: lines by severity, to standard error.

import type { AsyncIo } from '../async-io/async-io.ts';
import { logEntry } from '../base/log-text.ts';

export interface Log {
  error(message: string): void;
  warn(message: string): void;
  notice(message: string): void;
  debug(message: string): void;
  readonly debugEnabled: boolean;
}

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'];

export function makeLog(level: string, asyncIo: AsyncIo, prefix = ''): Log {
  const rank = LEVELS.indexOf(level);
  const line = (name: string, message: string) => {
    if (rank < LEVELS.indexOf(name)) return;
    asyncIo.printError(`vibing ${name}: ${logEntry(`${prefix}${message}`)}\n`);
  };
  return {
    error: (message) => line('error', message),
    warn: (message) => line('warn', message),
    notice: (message) => line('info', message),
    debug: (message) => line('debug', message),
    debugEnabled: rank >= LEVELS.indexOf('debug'),
  };
}
