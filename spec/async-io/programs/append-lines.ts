// Appends lines to a log file and exits at once: append-lines.js FILE NAME COUNT.

import { appendToLog } from '../../../src/async-io/log-files.ts';

const [file, name, count] = process.argv.slice(2);
for (let index = 0; index < Number(count); index++) {
  appendToLog(file, `${name} ${index} ${'x'.repeat(index % 200)} end\n`, () => {});
  // Lines of several turns become several writes.
  if (index % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
}
process.exit(0);
