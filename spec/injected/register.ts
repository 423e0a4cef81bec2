// Loaded before a test file: injects the bug of VIBING_BUG, as JSON, into its module.

import { register } from 'node:module';
import type { Patch } from '../../harness/mutants/patch.ts';

export const BUG_VARIABLE = 'VIBING_BUG';

const text = process.env[BUG_VARIABLE];
// A process that the test starts would have the bug as well; what it loads is another build.
delete process.env[BUG_VARIABLE];
if (text !== undefined) {
  const patch = JSON.parse(text) as Patch;
  register('../../harness/mutants/hook.js', import.meta.url, { data: patch });
}
