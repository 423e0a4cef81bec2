// The help of `vibing load`.

import { entry } from './help-entry.ts';
import { LOAD_FLAGS } from './load-flags.ts';

export function loadHelp(): string {
  return `vibing load: ask a server as often as it can, or at a rate, and tell how it went

Usage:
  vibing load URL [URL...] [flags]
  vibing load --compare A.json B.json

Answers are checked for their framing, all of them. Ctrl-C ends a run and prints what there is.

Exit code: 0 when every request was answered, 1 when some was not or nothing could be measured,
2 when the arguments are wrong or a file cannot be written, 130 after Ctrl-C.

Examples:
  vibing load http://127.0.0.1:8080/ -c 64 -d 10s
  vibing load http://127.0.0.1:8080/ -c 64 -R 30000 --html report.html

Flags:
${LOAD_FLAGS.map(({ long, short, slot, what }) => {
  const name = short === undefined ? `--${long}` : `-${short}, --${long}`;
  return entry(slot === '' ? name : `${name} ${slot}`, what);
}).join('\n')}
`;
}
