// Errors as text for the log.

import assert from 'node:assert/strict';
import { describe as group, it } from 'node:test';
import { describe } from '../../src/base/describe.ts';

group('an error as text', () => {
  it('is its stack, or the value', () => {
    const error = new Error('first');
    assert.equal(describe(error), error.stack);
    assert.equal(describe('text'), 'text');
    assert.equal(describe(undefined), 'undefined');
    const bare = new Error('no stack');
    delete bare.stack;
    assert.equal(describe(bare), 'no stack');
  });

  it('has the errors that caused it, three at most', () => {
    let error = new Error('cause 0');
    for (let count = 1; count <= 4; count++) error = new Error(`cause ${count}`, { cause: error });
    const text = describe(error);
    assert.deepEqual(text.match(/cause \d/g), ['cause 4', 'cause 3', 'cause 2', 'cause 1']);
    assert.equal(text.match(/^caused by: Error: cause \d$/gm)?.length, 3);
    const own = new Error('own');
    own.cause = own;
    assert.equal(describe(own).match(/Error: own/g)?.length, 4);
  });

  it('has no cause that is not an error: it may be secret or large', () => {
    const error = new Error('first', { cause: { password: 'x' } });
    assert.equal(describe(error), error.stack);
  });

  it('never throws', () => {
    const hostile = new Error('hostile');
    Object.defineProperty(hostile, 'stack', {
      get() {
        throw new Error('no');
      },
    });
    assert.equal(describe(hostile), 'an error that cannot be shown');
    const caused = new Error('caused', { cause: hostile });
    assert.equal(describe(caused), `${caused.stack}\ncaused by: an error that cannot be shown`);
    assert.equal(describe(Object.create(null)), 'an error that cannot be shown');
  });
});
