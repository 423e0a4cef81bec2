// Injected bugs of static files and their compression.

import type { Bug } from './bug.ts';

const FRESHNESS = 'static/freshness.js';
const CACHE = 'static/file-cache.js';
const MISSING = 'static/missing-files.js';
const ROOT = 'static/root.js';
const MODEL = 'static/model';

export const STATIC_BUGS: readonly Bug[] = [
  {
    name: 'a file with the same size and time is taken for the same',
    kind: 'special',
    file: FRESHNESS,
    find: 'one.changedMs === other.changedMs &&',
    replace: '',
    tests: ['static/changes', MODEL],
  },
  {
    name: 'another file of the same device is taken for the same',
    kind: 'special',
    file: FRESHNESS,
    find: 'one.inode !== other.inode ||',
    replace: '',
    tests: ['static/changes', MODEL],
  },
  {
    name: 'a check that cannot be made at once is taken for good',
    kind: 'late',
    file: MISSING,
    find: '(check === Check.Unknown && ageMs <= RECHECK_MS)',
    replace: 'check === Check.Unknown',
    tests: ['static/missing-paths', MODEL],
  },
  {
    name: 'a path that was missing stays missing',
    kind: 'late',
    file: MISSING,
    find: 'this.#paths.delete(path);',
    replace: 'known.checkedMs = nowMs;\n        if (check === Check.Changed) return true;',
    tests: ['static/missing-paths', MODEL],
  },
  {
    name: 'the bytes of files that are kept are not counted',
    kind: 'again',
    file: CACHE,
    find: 'this.#keptBytes += file.memoryBytes;',
    replace: '',
    tests: ['static/file-cache'],
  },
  {
    name: 'one crawl empties the cache',
    kind: 'late',
    file: CACHE,
    find: 'firstOf(this.#probation) ?? firstOf(this.#kept)',
    replace: 'firstOf(this.#kept) ?? firstOf(this.#probation)',
    tests: ['static/file-cache'],
  },
  {
    name: 'a file outside of the root stays open',
    kind: 'fails',
    file: ROOT,
    find: 'await asyncIo.close(opened.file);\n        return null;',
    replace: 'return null;',
    tests: [MODEL, 'static/faults'],
  },
  {
    name: 'what was opened is not compared with the root',
    kind: 'middle',
    file: ROOT,
    find: "if (typeof path === 'string')\n            return this.#isBelow(path);",
    replace: "if (typeof path === 'string')\n            return true;",
    tests: [MODEL, 'static/faults', 'static/guards'],
  },
  {
    name: 'an index file stays open behind a redirect',
    kind: 'fails',
    file: 'static/find.js',
    find: 'await this.#close(file.opened);',
    replace: '',
    tests: [MODEL, 'static/faults'],
  },
  {
    name: 'a file is sent although it changed after it was found',
    kind: 'middle',
    file: 'static/send-variant.js',
    find: 'if (!isSameFile(opened.stat, variant.stat))\n            return false;',
    replace: '',
    tests: [MODEL, 'static/changes', 'static/large-files'],
  },
  {
    name: 'the descriptor of a busy file is never closed',
    kind: 'late',
    file: 'static/open-files.js',
    find: 'await this.#services.asyncIo.close(this.file);',
    replace: '',
    tests: [MODEL, 'static/large-files', 'static/faults'],
  },
  {
    name: 'a file that is used again while its close is due is closed',
    kind: 'middle',
    file: 'static/open-files.js',
    find: 'this.#isWaiting = false;\n        if (this.#users > 0)\n            return;',
    replace: 'this.#isWaiting = false;',
    tests: ['static/open-files'],
  },
  {
    name: 'busy files are opened without a bound',
    kind: 'late',
    file: 'static/open-files.js',
    find: 'this.#shared.has(key) || this.#shared.size >= OPEN_FILES_MAX',
    replace: 'this.#shared.has(key)',
    tests: ['static/open-files'],
  },
  {
    name: 'a file larger than the memory empties the cache',
    kind: 'special',
    file: 'static/file-cache.js',
    find: 'if (file.memoryBytes > this.#bytesMax)\n            return;',
    replace: ';',
    tests: ['static/file-cache'],
  },
];
