// What the build says at a terminal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../testing/child-program.ts';

interface Stream {
  readonly isTTY: boolean;
  write(text: string): void;
}

const BUILD = new URL('.ci/build.mjs', pathToFileURL(ROOT)).href;
const { note } = (await import(BUILD)) as { note(stream: Stream): void };

test('a terminal gets one line while something is compiled, and a file none', () => {
  for (const isTTY of [true, false]) {
    const texts: string[] = [];
    note({ isTTY, write: (text) => void texts.push(text) });
    assert.deepEqual(
      texts,
      isTTY ? ['compiling what has changed, which takes some seconds\n'] : [],
    );
  }
});
