// Every public name, and each method and accessor of one, has a docstring; functions and classes
// have a place in a page. npm run docs:api makes the reference of them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../testing/child-program.ts';
import { ENTRIES } from '../tidy/rules.ts';
import { documentPaths } from './fixtures/documents.ts';

/** Index files that export names; the last entry is the command line. */
const PUBLIC = ENTRIES.filter((path) => path.endsWith('/index.ts'));

interface Public {
  readonly name: string;
  readonly path: string;
}

/** The names that an index file passes on or declares, with the files that declare them. */
function publicNames(entry: string, text: string): readonly Public[] {
  const names: Public[] = [];
  for (const [, list, from] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    const path = join(dirname(entry), from);
    for (const part of list.split(',')) {
      // The name in the file that declares it, as of `Old as New`.
      const name = part
        .trim()
        .replace(/^type /, '')
        .split(' as ')[0];
      if (name !== '') names.push({ name, path });
    }
  }
  for (const [, name] of text.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)) {
    names.push({ name, path: entry });
  }
  return names;
}

/** Whether a declaration of the name follows a docstring; null when there is no declaration. */
function isDocumented(name: string, text: string): boolean | null {
  const declared = `(?:async )?(?:abstract )?(?:class|interface|type|function|const) ${name}\\b`;
  const match = new RegExp(`^([^\\n]*)\\n(?:export )?(?:declare )?${declared}`, 'm').exec(text);
  return match === null ? null : match[1].trimEnd().endsWith('*/');
}

/** Follows a name that a file passes on to the file that declares it. */
function isDocumentedIn({ name, path }: Public): boolean {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const found = isDocumented(name, text);
  if (found !== null) return found;
  const next = publicNames(path, text).find((one) => one.name === name && one.path !== path);
  assert.ok(next !== undefined, `${path} does not declare ${name}`);
  return isDocumentedIn(next);
}

/**
 * Methods and accessors of declarations without a docstring. Overloads share that of the first, and
 * a method that overrides one has the docstring of that one.
 */
function undocumentedMembers(text: string): readonly string[] {
  const missing: { readonly owner: string; readonly base: string; readonly name: string }[] = [];
  const documented = new Set<string>();
  let [owner, base, before] = ['', '', ''];
  for (const line of text.split('\n')) {
    const type = /^export (?:declare )?(?:class|interface) (\w+)(?:.* extends (\w+)<[^>]*> \{$)?/;
    [, owner, base = ''] = type.exec(line) ?? ['', owner, base];
    const [, name] = /^ {4}(?:static |get |set )?([\w$]+)[(<]/.exec(line) ?? [];
    if (name !== undefined && name !== 'constructor') {
      if (before.endsWith('*/')) documented.add(`${owner}.${name}`);
      else missing.push({ owner, base, name });
    }
    before = line;
  }
  const isMissing = (one: (typeof missing)[number]): boolean =>
    !documented.has(`${one.owner}.${one.name}`) && !documented.has(`${one.base}.${one.name}`);
  return missing.filter(isMissing).map((one) => `${one.owner}.${one.name}`);
}

for (const entry of PUBLIC) {
  test(`the public names of ${entry} have docstrings`, () => {
    const names = publicNames(entry, readFileSync(join(ROOT, entry), 'utf8'));
    assert.ok(names.length > 1);
    const missing = names.filter((one) => !isDocumentedIn(one));
    const lines = missing.map(({ name, path }) => `${relative('.', path)}: ${name}`);
    assert.deepEqual(lines, []);
  });
}

test('the methods and accessors of public types have docstrings', () => {
  const folder = join(ROOT, 'dist', 'types');
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const text = files.join('\n');
  assert.match(text, /^export declare class Request\b/m);
  assert.deepEqual(undocumentedMembers(text), []);
});

test('every public function and class is in a page of the documentation', async () => {
  const pages = documentPaths().map((path) => readFileSync(join(ROOT, path), 'utf8'));
  const text = pages.join('\n');
  for (const entry of PUBLIC) {
    const names = Object.keys(await import(`../../${entry.replace(/\.ts$/, '.js')}`));
    assert.ok(names.length > 0, entry);
    for (const name of names) assert.match(text, new RegExp(`\\b${name}\\b`), `${entry}: ${name}`);
  }
});

test('a missing docstring is found', () => {
  const text = '/** One. */\nexport class One {}\n\nexport type Two = 2;\n';
  assert.deepEqual(
    ['One', 'Two', 'Three'].map((name) => isDocumented(name, text)),
    [true, false, null],
  );
  const members = [
    'export interface One {',
    '    /** Documented. */',
    '    two(): void;',
    '    two(given: string): void;',
    '    three(): void;',
    '    get four(): string;',
    '    readonly five: string;',
    '}',
    "export declare class Six extends One<'', S> {",
    '    two(): void;',
    '}',
  ].join('\n');
  assert.deepEqual(undocumentedMembers(members), ['One.three', 'One.four']);
  const entry = "export { type A, B as C } from './d.ts';\nexport function e() {}\n";
  assert.deepEqual(publicNames('src/index.ts', entry), [
    { name: 'A', path: 'src/d.ts' },
    { name: 'B', path: 'src/d.ts' },
    { name: 'e', path: 'src/index.ts' },
  ]);
});
