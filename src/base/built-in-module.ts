// Modules of Node that are loaded at their first use: most servers need few of them, and each one
// that is imported makes every start longer.

import { createRequire } from 'node:module';

/** The module of that name, such as 'node:zlib'. */
export const builtInModule: typeof process.getBuiltinModule =
  // Node 22 has it from 22.3 on.
  process.getBuiltinModule ?? (createRequire(import.meta.url) as typeof process.getBuiltinModule);
