// Links to headings, within a document and between documents, lead to headings that are there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../testing/child-program.ts';
import { documentPaths } from './fixtures/documents.ts';

/** Without blocks of code, whose comments look like headings. */
function proseOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
}

/** The name of a heading on GitHub. */
function anchorOf(heading: string): string {
  const text = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '');
  return text.trim().replaceAll(/\s/g, '-');
}

function anchorsIn(path: string): ReadonlySet<string> {
  return new Set([...proseOf(path).matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchorOf(text)));
}

test('every link to a heading has one', () => {
  const known = new Map(documentPaths().map((path) => [path, anchorsIn(path)]));
  const broken: string[] = [];
  let count = 0;
  for (const path of known.keys()) {
    for (const [, to, anchor] of proseOf(path).matchAll(/\]\(([^)\s#:]*)#([^)\s]+)\)/g)) {
      const target = to === '' ? path : posix.join(posix.dirname(path), to);
      count += 1;
      if (!known.get(target)?.has(anchor)) broken.push(`${path}: ${to}#${anchor}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(count > 50, `${count} links`);
});

test('a heading is named as GitHub does', () => {
  assert.equal(anchorOf('A form, without `JavaScript`'), 'a-form-without-javascript');
});
