// The rules of docs/development.md as tests of the project's text, and tests of the checks: each
// must report its bad samples and accept its good ones.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { CHECKS, type Sample, TREE_CHECKS } from './tidy/checks.ts';
import { commands, links, paths } from './tidy/documents.ts';
import { type Lock, missingParts, places } from './tidy/packages.ts';
import { importsOf, source } from './tidy/source.ts';
import { ROOT, texts } from './tidy/tree.ts';

const files = texts();
const scripts = new Set(
  Object.keys(readJson<{ scripts: Record<string, string> }>('package.json').scripts),
);

suite('tidy: the project', () => {
  for (const { rule, of, check } of CHECKS) {
    test(rule, () => none(files.filter(({ path }) => of(path)).flatMap(check)));
  }
  for (const { rule, check } of TREE_CHECKS) test(rule, () => none(check(files)));

  test('commands in the texts are scripts of package.json', () => {
    const others = files.filter(({ path }) => !path.startsWith('spec/tidy'));
    none(others.flatMap((file) => commands(file, scripts)));
  });

  test('links in the documents lead to files', () => {
    const documents = files.filter(({ path }) => path.endsWith('.md'));
    none(documents.flatMap((file) => links(file, (path) => existsSync(join(ROOT, path)))));
  });

  test('paths in the documents are those of files and folders', () => {
    const documents = files.filter(({ path }) => path.endsWith('.md'));
    none(documents.flatMap((file) => paths(file, (path) => existsSync(join(ROOT, path)))));
  });

  test('the lock file installs on every system and contains no host', () => {
    const lock = readJson<Lock>('package-lock.json');
    none([...missingParts(lock), ...places(lock)]);
  });

  test('the project is read', () => {
    for (const path of ['package.json', 'README.md', 'src/base/assert.ts', 'spec/tidy.test.ts']) {
      assert.ok(
        files.some((file) => file.path === path),
        `${path} was not read`,
      );
    }
  });
});

suite('tidy: the checks themselves', () => {
  for (const { rule, of, check, bad, good } of CHECKS) {
    test(rule, () => {
      for (const sample of bad) {
        assert.ok(of(sample[0]), `the check applies to ${sample[0]}`);
        assert.notDeepEqual(check(source(...sample)), [], `bad, and not found:\n${sample[1]}`);
      }
      for (const sample of good) {
        assert.deepEqual(check(source(...sample)), [], `good, and reported:\n${sample[1]}`);
      }
    });
  }
  for (const { rule, check, bad, good } of TREE_CHECKS) {
    test(rule, () => {
      for (const sample of bad) assert.notDeepEqual(check(tree(sample)), [], show(sample));
      for (const sample of good) assert.deepEqual(check(tree(sample)), [], show(sample));
    });
  }

  test('commands', () => {
    const file = source(
      'README.md',
      'a\n`npm run a:b -- c`, npm run d, npm run -s e, npm run -s "$f"\n',
    );
    assert.deepEqual(commands(file, new Set(['a:b'])), [
      "README.md:2: no script 'd'",
      "README.md:2: no script 'e'",
    ]);
  });

  test('links', () => {
    const text = '[a](b.md#c) [d](https://e.f/) [g](#h)\n`[i](j)`\n[k](l.md)\n[m](../n.md)\n';
    assert.deepEqual(
      links(source('docs/a.md', text), (path) => path === 'docs/b.md' || path === 'n.md'),
      ["docs/a.md:3: no file 'l.md'"],
    );
  });

  test('paths', () => {
    const text = [
      '`src/a.ts` `fuzz/targets/NAME.ts` `src/b.ts --flag` `npm run src/c.ts` `d/e.ts` `src/f*.ts`',
      '```',
      '`src/g.ts`',
      '```',
      '`src/h.ts`, `docs/i/`, `spec/README.md`',
    ].join('\n');
    assert.deepEqual(
      paths(source('docs/a.md', text), (path) => path === 'src/a.ts'),
      [
        "docs/a.md:5: no file or folder 'src/h.ts'",
        "docs/a.md:5: no file or folder 'docs/i/'",
        "docs/a.md:5: no file or folder 'spec/README.md'",
      ],
    );
  });

  test('lock files', () => {
    const lock = {
      packages: {
        '': { optionalDependencies: { a: '1', b: '1' } },
        'node_modules/a': { optionalDependencies: { c: '1', d: '1' }, resolved: 'https://e.f/a' },
        'node_modules/a/node_modules/c': {},
      },
    };
    assert.deepEqual(missingParts(lock), [
      'package-lock.json: b of the project is missing',
      'package-lock.json: d of node_modules/a is missing',
    ]);
    assert.deepEqual(places(lock), ['package-lock.json: node_modules/a names a host']);
  });

  test('code is distinguished from strings and comments', () => {
    const blanked: ReadonlyArray<readonly [string, string]> = [
      ["a('b', c);", "a(' ', c);"],
      ["a('\\'', b);", "a('  ', b);"],
      ['a; // b', 'a;     '],
      ['a /* b\nc */ d', 'a     \n     d'],
      ['a(`b ${c(`d`)} e`);', 'a(`  ${c(` `)}  `);'],
      ['a(`${{ b: 1 }.b}c`);', 'a(`${{ b: 1 }.b} `);'],
      ['a = /[/"]b/g;', 'a = /     /g;'],
      ['a = b / c / d;', 'a = b / c / d;'],
      ["return /'/;", 'return / /;'],
      ["x = a[1] / 2; y = '/';", "x = a[1] / 2; y = ' ';"],
    ];
    for (const [text, code] of blanked) assert.equal(source('a.ts', text).code, code);
  });

  test('imports of every form are found', () => {
    const text = [
      "import a from 'a';",
      "import type { B } from './b.ts';",
      "import {\n  c,\n} from './c.ts';",
      "export * from './d.ts';",
      "import './e.ts';",
      "const f = await import('./f.ts');",
      "new URL('g.js', import.meta.url);",
      "// import './no.ts';",
      'const no = \'import "./no.ts"\';',
    ].join('\n');
    assert.deepEqual(
      importsOf(source('x.ts', text)).map(({ line, specifier, typeOnly, isUrl }) =>
        [line, specifier, typeOnly ? 'type' : '', isUrl ? 'url' : ''].join(' ').trim(),
      ),
      ['1 a', '2 ./b.ts type', '3 ./c.ts', '6 ./d.ts', '7 ./e.ts', '8 ./f.ts', '9 g.js  url'],
    );
  });
});

function none(problems: readonly string[]): void {
  if (problems.length > 0) assert.fail(problems.join('\n'));
}

function tree(sample: readonly Sample[]): ReadonlyArray<ReturnType<typeof source>> {
  return sample.map((one) => source(...one));
}

function show(sample: readonly Sample[]): string {
  return sample.map((one) => one.join(':\n')).join('\n');
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as T;
}
