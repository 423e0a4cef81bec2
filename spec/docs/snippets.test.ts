// The programs of the documents run, with all checks of types, and respond as they say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentPaths } from './fixtures/documents.ts';
import { compileSnippets, runSnippet, snippetsIn, snippetsOf } from './fixtures/snippets.ts';

/** The documents with programs, and how many they have at least. */
const COUNTS: Readonly<Record<string, number>> = {
  'docs/middleware.md': 16,
  'docs/getting-started.md': 3,
  'docs/cookbook.md': 20,
  'docs/migration.md': 8,
};
const snippets = documentPaths().flatMap(snippetsOf);
const folder = compileSnippets(snippets, 'snippets');

test('the documents have programs', () => {
  for (const [path, least] of Object.entries(COUNTS)) {
    const count = snippets.filter(({ place }) => place.startsWith(`${path}:`)).length;
    assert.ok(count >= least, `${path} has ${count}, not ${least}`);
  }
});

for (const snippet of snippets) {
  test(snippet.place, () => runSnippet(snippet, folder));
}

const PROGRAM = `const server = createServer({ port: 8080 });
server.get('/', (_req, res) => res.text('hello'));
await server.listen();`;

function block(expected: string): string {
  const begin = "\n```ts\n// runs\nimport { createServer } from 'vibing';\n";
  return `${begin}${PROGRAM}\n${expected}\n\`\`\`\n`;
}

test('a program that responds otherwise than it says is reported', async () => {
  const wrong = [
    ['// > GET /\n// < 404', /the status is 200, not 404/],
    ['// > GET /\n// < 200\n// < Content-Type: text/html...', /Content-Type is text\/plain/],
    ['// > GET /\n// < 200\n// < ETag: "..."', /ETag is missing/],
    ['// > GET /\n// < 200\n// < !Content-Type', /Content-Type is text/],
    ['// > GET /\n// < 200\n// > GET /other\n// < 200', /GET \/other .*: the status is 404/],
    ['// > GET /\n// < 200\n// < hell', /the content is hello, not hell/],
    ['// > GET /\n// < 200\n// < $word\n// > GET /$word\n// < 200', /GET \/\$word .* 404/],
  ] as const;
  const made = wrong.map(([expected], index) => {
    const [snippet] = snippetsIn(block(expected), `wrong-${index}.md`);
    return snippet;
  });
  const into = compileSnippets(made, 'snippets-wrong');
  for (const [index, [, reason]] of wrong.entries()) {
    await assert.rejects(
      () => runSnippet(made[index], into),
      (error: Error) => reason.test(error.message),
    );
  }
});

test('a program that expects nothing, or cannot listen, is reported', () => {
  assert.throws(() => snippetsIn(block(''), 'a.md'), /a\.md:2 says in comments/);
  assert.throws(() => snippetsIn(block('// > GET /'), 'a.md'), /has a status/);
  const unheard = block('// > GET /\n// < 200').replace('await server', 'server');
  assert.throws(() => snippetsIn(unheard, 'a.md'), /await server\.listen/);
});

test('code that does not compile is reported with its error', () => {
  const [snippet] = snippetsIn(block('// > GET /\n// < 200\nserver.nothing();'), 'type.md');
  assert.throws(() => compileSnippets([snippet], 'snippets-type'), /nothing/);
});

test('code without the mark is left alone', () => {
  const text = block('// > GET /\n// < 200').replace('// runs\n', '');
  assert.deepEqual(snippetsIn(text, 'a.md'), []);
});
