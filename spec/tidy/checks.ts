// Every check with the files it applies to and samples that it must report or must accept.
// spec/tidy.test.ts runs them over the project and over their samples.

import { hotMarks } from './hot-files.ts';
import {
  builtInModules,
  cycles,
  deadFiles,
  folders,
  foreignLibrary,
  hotFiles,
  layers,
  ports,
  specFiles,
  spelling,
  startedScripts,
} from './imports.ts';
import { retiredWords } from './retired.ts';
import {
  blanks,
  columns,
  deadCode,
  fileLength,
  functionLength,
  indexFiles,
  language,
  purpose,
} from './shape.ts';
import type { Source } from './source.ts';
import { fileNames, names, places, switchedOff, unfinished } from './words.ts';

/** A path and a text. */
export type Sample = readonly [path: string, text: string];

export interface Check {
  readonly rule: string;
  readonly of: (path: string) => boolean;
  readonly check: (file: Source) => readonly string[];
  readonly bad: readonly Sample[];
  readonly good: readonly Sample[];
}

/** A check that needs to see all files at once; a sample is a tree. */
export interface TreeCheck {
  readonly rule: string;
  readonly check: (files: readonly Source[]) => readonly string[];
  readonly bad: ReadonlyArray<readonly Sample[]>;
  readonly good: ReadonlyArray<readonly Sample[]>;
}

const isCode = (path: string): boolean =>
  /^(src|testing|spec|harness|fuzz|perf|examples)\/.*\.ts$|^\.ci\/.*\.mjs$/.test(path);
const isShipped = (path: string): boolean => /^src\/.*\.ts$/.test(path);
/** The checks themselves contain what they search for. */
const isOther = (path: string): boolean => !/^spec\/tidy/.test(path);

const longFunction = (head: string): string => `${head} {\n${'  step();\n'.repeat(70)}}\n`;

export const CHECKS: readonly Check[] = [
  {
    rule: 'no tabs, no blanks at the end of a line, one newline at the end of a file',
    of: () => true,
    check: blanks,
    bad: [
      ['src/base/a.ts', 'a();\n\tb();\n'],
      ['src/base/a.ts', 'a(); \n'],
      ['src/base/a.ts', 'a();'],
      ['src/base/a.ts', 'a();\n\n'],
      ['src/base/a.ts', 'a();\r\n'],
    ],
    good: [['src/base/a.ts', 'a();\n\nb();\n']],
  },
  {
    rule: 'lines have 100 columns at most',
    of: (path) => isCode(path) || path.startsWith('.ci/') || path.startsWith('.github/'),
    check: columns,
    bad: [['src/base/a.ts', `${'x'.repeat(101)}\n`]],
    good: [['src/base/a.ts', `${'€'.repeat(100)}\n`]],
  },
  {
    rule: 'files have 400 lines at most, tests 600',
    of: isCode,
    check: fileLength,
    bad: [
      ['src/base/a.ts', 'a();\n'.repeat(401)],
      ['spec/base/a.test.ts', 'a();\n'.repeat(601)],
    ],
    good: [
      ['src/base/a.ts', 'a();\n'.repeat(400)],
      ['spec/base/a.test.ts', 'a();\n'.repeat(600)],
    ],
  },
  {
    rule: 'functions of src have 70 lines at most',
    of: isShipped,
    check: functionLength,
    bad: [
      ['src/base/a.ts', longFunction('function a(x: number): { b: number }')],
      ['src/base/a.ts', longFunction('const a = async (x: Map<string, number>): Promise<void> =>')],
      ['src/base/a.ts', longFunction('use(x =>')],
      ['src/base/a.ts', longFunction('class A { b(): () => void')],
      ['src/base/a.ts', longFunction(`class A { constructor(b = '}', c = /[/}]/, d = \`}\${1}\`)`)],
    ],
    good: [
      ['src/base/a.ts', longFunction('class A<K, V>')],
      ['src/base/a.ts', longFunction('function a(): number {\n  b();\n}\n\nclass A')],
      ['src/base/a.ts', 'function a(): number {\n  b();\n}\n\n'.repeat(40)],
      ['src/base/a.ts', longFunction('export const A: Record<string, number> =')],
      ['src/base/a.ts', longFunction('function a(): void').replace('  step();\n  step();\n', '')],
      ['src/base/a.ts', longFunction('use(// not here {\n').replaceAll('step();', '"{"')],
    ],
  },
  {
    rule: 'a file opens with a comment that says what it is for',
    of: isCode,
    check: purpose,
    bad: [
      ['src/base/a.ts', 'a();\n'],
      ['src/base/a.ts', '//\na();\n'],
    ],
    good: [
      ['src/base/a.ts', '// Says it.\na();\n'],
      ['src/cli/main.ts', '#!/usr/bin/env node\n// Says it.\n'],
    ],
  },
  {
    rule: 'no default export, enum, namespace or parameter property',
    of: (path) => isCode(path) && isOther(path),
    check: language,
    bad: [
      ['src/base/a.ts', 'export default 1;\n'],
      ['src/base/a.ts', 'export { a as default };\n'],
      ['src/base/a.ts', 'export const enum A { B }\n'],
      ['src/base/a.ts', 'namespace A { }\n'],
      ['src/base/a.ts', 'class A { constructor(a: number, private b = 1) {} }\n'],
      ['src/base/a.ts', '// @ts-ignore\n'],
    ],
    good: [
      ['src/base/a.ts', "// export default\nconst a = 'enum A { }';\nx.enum = 1;\n"],
      ['src/base/a.ts', 'class A { constructor(a: readonly string[], b: number) {} }\n'],
    ],
  },
  {
    rule: 'no index files but those with public names',
    of: isCode,
    check: indexFiles,
    bad: [['src/http/index.ts', '']],
    good: [
      ['src/index.ts', ''],
      ['src/http/indexes.ts', ''],
    ],
  },
  {
    rule: 'no code in comments',
    of: isCode,
    check: deadCode,
    bad: [
      ['src/base/a.ts', '// const a = 1;\n'],
      ['src/base/a.ts', 'b(); // a.b(c);\n'],
      ['src/base/a.ts', '// if (a) {\n'],
      ['src/base/a.ts', '// this.x[1] += 2;\n'],
    ],
    good: [['src/base/a.ts', "// If a is b, then return it;\nconst c = '// d();';\n"]],
  },
  {
    rule: 'imports of src point down, along the table of layers',
    of: isShipped,
    check: layers,
    bad: [
      ['src/base/a.ts', "import { b } from '../http/b.ts';\n"],
      ['src/http/a.ts', "import type { B } from '../work/b.ts';\n"],
      ['src/driver/a.ts', "export { b } from '../http/b.ts';\n"],
      ['src/http/a.ts', "await import('../server/b.ts');\n"],
      ['src/http/a.ts', "import {\n  b,\n} from '../../harness/b.ts';\n"],
      ['src/unheard/a.ts', ''],
    ],
    good: [
      ['src/http/a.ts', "import { b } from '../base/b.ts';\nimport { c } from './c.ts';\n"],
      ['src/http/a.ts', "// import { b } from '../server/b.ts';\n"],
      ['src/index.ts', "export { b } from './server/b.ts';\n"],
    ],
  },
  {
    rule: 'folders import what the table of folders allows',
    of: (path) => isCode(path) && !path.startsWith('.ci/'),
    check: folders,
    bad: [
      ['testing/a.ts', "import type { B } from '../spec/b.ts';\n"],
      ['harness/a.ts', "import { b } from '../perf/b.ts';\n"],
      ['examples/a.ts', "import { b } from '../src/b.ts';\n"],
    ],
    good: [
      ['testing/a.ts', "import { b } from '../src/base/b.ts';\nimport { c } from './c.ts';\n"],
      ['spec/http/a.test.ts', "import { b } from '../../testing/b.ts';\nimport 'node:fs';\n"],
      ['examples/a.ts', "import { b } from 'vibing';\n"],
    ],
  },
  {
    rule: 'spec holds tests, and helpers in folders of their own',
    of: (path) => /^spec\/.*\.ts$/.test(path),
    check: specFiles,
    bad: [
      ['spec/http/split-head.ts', ''],
      ['spec/a.ts', ''],
    ],
    good: [
      ['spec/http/head.test.ts', ''],
      ['spec/http/fixtures/split-head.ts', ''],
      ['spec/behaviour/programs/server.ts', ''],
      ['spec/model/model.ts', ''],
    ],
  },
  {
    rule: 'imports end in .ts',
    of: isCode,
    check: spelling,
    bad: [['src/base/a.ts', "import { b } from './b.js';\n"]],
    good: [['src/base/a.ts', "import { b } from './b.ts';\nnew URL('./b.js', import.meta.url);\n"]],
  },
  {
    rule: 'only the ports touch files, clocks, timers and chance',
    of: isShipped,
    check: ports,
    bad: [
      ['src/http/a.ts', "import { readFile } from 'node:fs/promises';\n"],
      ['src/http/a.ts', 'const now = Date.now();\n'],
      ['src/http/a.ts', 'const now = new Date( );\n'],
      ['src/http/a.ts', 'setTimeout(a, 1);\n'],
      ['src/reactor/reactor.ts', 'process.nextTick(a);\n'],
      ['src/exchange/a.ts', "process.getBuiltinModule('node:crypto');\n"],
      ['src/exchange/a.ts', "builtInModule('node:crypto');\n"],
      ['src/server/a.ts', "import { connect, isIP } from 'node:net';\n"],
    ],
    good: [
      ['src/reactor/pump.ts', 'setImmediate(a);\n'],
      ['src/server/a.ts', "import { isIP, isIPv6 } from 'node:net';\n"],
      [
        'src/http/a.ts',
        "import type { Stats } from 'node:fs';\nnew Date(atMs);\nx.setTimeout(1);\n",
      ],
    ],
  },
  {
    rule: 'one file loads built-in modules by name',
    of: isShipped,
    check: builtInModules,
    bad: [
      ['src/async-io/a.ts', "process.getBuiltinModule('node:crypto');\n"],
      ['src/cli/a.ts', "process\n  .getBuiltinModule('node:crypto');\n"],
    ],
    good: [
      ['src/base/built-in-module.ts', 'process.getBuiltinModule ?? a;\n'],
      ['src/async-io/a.ts', "builtInModule('node:crypto');\n"],
    ],
  },
  {
    rule: 'one file knows the foreign function library',
    of: isShipped,
    check: foreignLibrary,
    bad: [
      ['src/driver/linux/epoll.ts', "import koffi from 'koffi';\n"],
      ['src/driver/linux/epoll.ts', "const koffi = require('koffi');\n"],
    ],
    good: [['src/driver/linux/ffi.ts', "const koffi = await import('koffi');\n"]],
  },
  {
    rule: 'file names say something',
    of: isCode,
    check: fileNames,
    bad: [
      ['src/http/utils.ts', ''],
      ['spec/http/test-helpers.test.ts', ''],
      ['src/http/data.ts', ''],
    ],
    good: [['src/http/data-port.ts', '']],
  },
  {
    rule: 'declared names say something',
    of: isCode,
    check: names,
    bad: [
      ['src/base/a.ts', 'class ConnectionManager {}\n'],
      ['src/base/a.ts', 'const data = 1;\n'],
      ['src/base/a.ts', 'function a(data: number): void {}\n'],
      ['src/base/a.ts', 'use((data) => 1);\n'],
    ],
    good: [['src/base/a.ts', "const dataBytes = { data: 1 }.data;\nx.on('data', (chunk) => 1);\n"]],
  },
  {
    rule: 'no retired words',
    of: isOther,
    check: retiredWords,
    bad: [
      ['src/base/a.ts', '// Waits for the answer.\n'],
      ['src/base/a.ts', 'const answerBytes = 1;\n'],
      ['src/base/a.ts', 'const ANSWER_BYTES = 1;\n'],
      ['src/base/a.ts', 'function tellOwner(): void {}\n'],
      ['src/base/a.ts', "fail('nobody listens');\n"],
      ['src/base/inbox.ts', ''],
      ['src/server/world.ts', ''],
      ['docs/a.md', 'It gives the length.\n'],
      ['spec/cases/a.md', 'The answer is whole.\n'],
    ],
    good: [
      ['src/base/a.ts', '// Responds; indeed, it seated the trigger of a shelter, and gives up.\n'],
      ['src/base/a.ts', "response.text('Hello, World!'); // a timer wheel\n"],
      ['harness/world.ts', 'class World {}\n'],
      ['spec/requirements/statements.md', '- 3986 §3.2.2: 16-bit pieces\n'],
      ['spec/cases/a.md', 'rfc: 3986 §3.2.2 "A sequence of 16-bit pieces"\n'],
    ],
  },
  {
    rule: 'no marks of unfinished work',
    of: isOther,
    check: unfinished,
    bad: [
      ['docs/a.md', 'FIXME\n'],
      ['src/base/a.ts', '// TODO: later\n'],
      ['src/base/a.ts', '// TODO() later\n'],
    ],
    good: [['src/base/a.ts', '// TODO(when Node 20 is gone): use the other one.\n']],
  },
  {
    rule: 'no paths of one machine, no hosts of registries',
    of: isOther,
    check: places,
    bad: [
      ['docs/a.md', 'see /root/notes.md\n'],
      ['src/base/a.ts', "open('/tmp/a');\n"],
      ['.npmrc', ['registry=https://registry', 'example', 'org\n'].join('.')],
    ],
    good: [['src/http/a.ts', "import { work } from '../work/work.ts';\n"]],
  },
  {
    rule: 'no test is switched off without a reason',
    of: (path) => isCode(path) && isOther(path),
    check: switchedOff,
    bad: [
      ['spec/a.test.ts', "test.only('a', () => {});\n"],
      ['spec/a.test.ts', "test.skip('a', () => {});\n"],
      ['spec/a.test.ts', "test('a', { skip: true }, () => {});\n"],
      ['spec/a.test.ts', 't.skip();\n'],
    ],
    good: [['spec/a.test.ts', "test('a', { skip: 'needs Linux' }, () => {});\nt.skip('b');\n"]],
  },
];

export const TREE_CHECKS: readonly TreeCheck[] = [
  {
    rule: 'no cycles between files',
    check: cycles,
    bad: [
      [
        ['src/base/a.ts', "import { b } from './b.ts';\n"],
        ['src/base/b.ts', "import { c } from './c.ts';\n"],
        ['src/base/c.ts', "import { a } from './a.ts';\n"],
      ],
      [
        ['perf/a.ts', "import { b } from './b.ts';\n"],
        ['perf/b.ts', "import type { A } from './a.ts';\n"],
      ],
    ],
    good: [
      [
        ['src/base/a.ts', "import { b } from './b.ts';\nimport { c } from './c.ts';\n"],
        ['src/base/b.ts', "import { c } from './c.ts';\n"],
        ['src/base/c.ts', ''],
      ],
    ],
  },
  {
    rule: 'scripts that are started by their URL exist',
    check: startedScripts,
    bad: [[['spec/a.test.ts', "start(new URL('./b.js', import.meta.url));\n"]]],
    good: [
      [
        ['spec/a.test.ts', "start(new URL('../src/b.js', import.meta.url));\n"],
        ['src/b.ts', "open(new URL('../../dist/c.js', import.meta.url));\n"],
      ],
    ],
  },
  {
    rule: 'every file of src is used by what ships',
    check: deadFiles,
    bad: [
      [['src/base/a.ts', '']],
      [
        ['src/base/a.ts', "import './b.ts';\n"],
        ['src/base/b.ts', ''],
      ],
    ],
    good: [
      [
        ['src/index.ts', "export { a } from './base/a.ts';\n"],
        ['src/base/a.ts', "start(new URL('./b.js', import.meta.url));\n"],
        ['src/base/b.ts', ''],
      ],
    ],
  },
  {
    rule: 'a hot file names its micro-benchmark',
    check: hotFiles,
    bad: [
      [['src/base/a.ts', '// Hot: all the time.\n']],
      [['src/base/a.ts', '// Adds.\n// Hot: see perf/micro/gone.ts\n']],
    ],
    good: [
      [
        ['src/base/a.ts', '// Hot: see perf/micro/a.ts\n'],
        ['perf/micro/a.ts', ''],
      ],
    ],
  },
  {
    rule: 'exactly the files that profiles found begin with // Hot:',
    check: hotMarks,
    bad: [
      [['src/base/a.ts', '// Adds.\n']],
      [
        ['perf/profile/hot-files.json', '{ "files": {} }\n'],
        ['src/base/a.ts', '// Hot: see perf/micro/a.ts\n'],
      ],
      [
        ['perf/profile/hot-files.json', '{ "files": { "src/base/a.ts": 0.5 } }\n'],
        ['src/base/a.ts', '// Adds.\n\n// Hot: not in line 1.\n'],
      ],
      [['perf/profile/hot-files.json', '{ "files": { "src/base/gone.ts": 0.5 } }\n']],
    ],
    good: [
      [
        ['perf/profile/hot-files.json', '{ "files": { "src/base/a.ts": 0.5 } }\n'],
        ['src/base/a.ts', '// Hot: see perf/micro/a.ts\n'],
        ['src/base/b.ts', '// Adds.\n'],
      ],
    ],
  },
];
