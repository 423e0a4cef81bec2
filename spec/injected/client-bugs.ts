// Injected bugs of what asks servers: the load, the viewers of metrics, and their commands.

import type { Bug } from './bug.ts';

export const CLIENT_BUGS: readonly Bug[] = [
  {
    name: 'a connect that fails while a load runs is no error',
    kind: 'fails',
    file: 'load/load.js',
    find: 'if (this.phase <= Phase.Running)',
    replace: 'if (this.phase < Phase.Running)',
    tests: ['load/phases'],
  },
  {
    name: 'a load whose last report cannot be written is a success',
    kind: 'fails',
    file: 'cli/load.js',
    find: 'written.includes(false)',
    replace: 'written[0] === false',
    tests: ['cli/load-here'],
  },
  {
    name: 'a watch that is stopped during a fetch goes on',
    kind: 'middle',
    file: 'viewer/source/watch.js',
    find: 'if (this.#isStopped)\n                return;\n            this.#server',
    replace: 'this.#server',
    tests: ['viewer/watch-steps'],
  },
];
