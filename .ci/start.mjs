// Compiles what is stale, then becomes a compiled script of the tree: one process, so that signals,
// the terminal and the exit code are the script's own.
//
//   node .ci/start.mjs examples/serve.ts [arguments of the script]

import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, ROOT } from './build.mjs';

const [source, ...rest] = process.argv.slice(2);
if (source === undefined) {
  console.error('usage: node .ci/start.mjs SCRIPT.ts [argument...]');
  process.exit(2);
}
if (!(await build('all'))) process.exit(1);
if (process.env.npm_lifecycle_event !== undefined) endWithParent();

// Set before the import: a script that forks itself (a cluster) forks what stands here.
const script = resolve(join(ROOT, 'build', source.replace(/\.ts$/, '.js')));
process.argv = [process.argv[0], script, ...rest];
await import(pathToFileURL(script).href);

/**
 * npm starts a script through a shell and sends SIGTERM to that shell, which dies without passing
 * it on. The orphan would hold its port, so it ends when its parent dies.
 */
function endWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  watch.unref();
}
