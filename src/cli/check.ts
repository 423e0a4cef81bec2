// Says whether a configuration is right, and what is in force then.

import { safeJson } from '../base/log-text.ts';
import { type Config, fileOf } from '../server/config/config.ts';

/** The text for a configuration without problems. */
export function checkText(config: Config): string {
  return `ok\n${safeJson(fileOf(config), 2)}\n`;
}
