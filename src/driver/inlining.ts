// How much V8 copies into one function when it compiles it for speed. The path of a request goes
// through some twenty small functions, of which V8 by itself copies about half into their callers:
// its budget is meant for pages that are shown once. A larger one takes 5 to 10 % off a request.

import { setFlagsFromString } from 'node:v8';

/** Bytes of bytecode copied into a function, at most; V8's own figure is 920. */
const INLINED_BYTES_MAX = 5000;

/** For the whole process; what was compiled before stays as it is until it is compiled again. */
export function inlineMore(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_BYTES_MAX}`);
}
