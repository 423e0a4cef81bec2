// Says whether a configuration is right, and what is in force then.

import { type Config, fileOf } from '../server/config.ts';

/** The text for a configuration without problems. */
export function checkText(config: Config): string {
  return `ok\n${JSON.stringify(fileOf(config), null, 2)}\n`;
}
