// Vibing's parser beside llhttp: they differ in what is listed and in nothing else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf, seeded } from '../../testing/splits.ts';
import { ROOT } from '../tidy/tree.ts';
import { compare } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import { runs, streams } from './streams.ts';

/** The examples are of this llhttp; another one may have come closer. */
const LLHTTP = /^9\.3\./;

describe('the parser beside llhttp', () => {
  it('differs only in what is listed', (context) => {
    const property = fc.property(streams, ({ bytes }) => {
      const unlisted = compare(bytes).filter(({ id }) => id === '');
      assert.deepEqual(unlisted, []);
    });
    fc.assert(property, seeded(context, runs(3_000)));
  });

  const { llhttp = '' } = process.versions;
  const skip = LLHTTP.test(llhttp) ? false : `the examples are not for llhttp ${llhttp}`;
  for (const [name, { example }] of Object.entries(DIFFERENCES)) {
    it(`still differs in ${name}`, { skip }, () => {
      assert.deepEqual(
        compare(bytesOf(example)).map(({ id }) => id),
        [name],
      );
    });
  }

  it('takes and reads alike what is plain', () => {
    const plain = 'POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nc';
    assert.deepEqual(compare(bytesOf(plain + plain)), []);
  });

  it('would notice an end that is not the same', () => {
    // What a CONNECT is, told of a message that is none, has no name.
    const [found] = compare(
      bytesOf('CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na'),
    );
    assert.equal(found?.what, 'llhttp sees its end too early');
  });
});

describe('the document of differences', () => {
  const text = readFileSync(join(ROOT, 'spec/differences.md'), 'utf8');

  it('names those of the code, each under what it is', () => {
    const headings = { stricter: 'refuses, llhttp', wider: 'takes, llhttp', parts: 'Both take it' };
    for (const [direction, heading] of Object.entries(headings)) {
      const section = text.split('\n## ').find((one) => one.split('\n')[0].includes(heading)) ?? '';
      const named = [...section.matchAll(/^\| `([\w.-]+)` \|/gm)].map(([, name]) => name);
      const meant = Object.keys(DIFFERENCES).filter(
        (name) => DIFFERENCES[name].direction === direction,
      );
      assert.deepEqual(named.sort(), meant.sort());
    }
  });
});
