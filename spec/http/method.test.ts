// Methods from bytes and names; similar names are other methods.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Method, methodName, methodNumber, recognizeMethod } from '../../src/http/method.ts';
import { bytesOf } from '../../testing/splits.ts';

function recognize(text: string): number {
  return recognizeMethod(bytesOf(`<${text}>`), 1, 1 + text.length);
}

it('every known method is recognized, by its bytes and by its name', () => {
  for (const [name, number] of Object.entries(Method)) {
    if (number === Method.Other) continue;
    assert.equal(methodName(number), name);
    assert.equal(methodNumber(name), number);
    assert.equal(recognize(name), number);
  }
  assert.equal(methodName(Method.Other), '');
});

it('a name similar to a known method is another one', () => {
  for (const name of Object.keys(Method)) {
    if (name === 'Other') continue;
    assert.equal(recognize(name.toLowerCase()), Method.Other);
    assert.equal(recognize(`${name}S`), Method.Other);
    assert.equal(recognize(name.slice(0, -1)), Method.Other);
    for (let index = 0; index < name.length; index++) {
      const near = `${name.slice(0, index)}X${name.slice(index + 1)}`;
      assert.equal(recognize(near), Method.Other, near);
      assert.equal(methodNumber(near), Method.Other, near);
    }
  }
  for (const text of ['', 'G', 'QUERY', 'PROPFIND']) {
    assert.equal(recognize(text), Method.Other);
    assert.equal(methodNumber(text), Method.Other);
  }
});
