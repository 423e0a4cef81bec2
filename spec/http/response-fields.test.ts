// The fields of a response compared with a list of pairs, and what they cannot contain.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RESPONSE_FIELD_BYTES_MAX, RESPONSE_FIELDS_MAX } from '../../src/base/fixed-limits.ts';
import {
  checkedName,
  checkValue,
  isToken,
  ResponseFields,
} from '../../src/http/response-fields.ts';
import { seeded } from '../../testing/splits.ts';

const names = ['Date', 'date', 'X-One', 'x-one', 'X-Two', 'Content-Type', 'Set-Cookie'];
const value = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '~', '\x80', '\xff') });
const step = fc.record({
  op: fc.constantFrom('set', 'append', 'remove'),
  name: fc.constantFrom(...names),
  value,
});

type Pair = readonly [name: string, value: string];

function pairs(fields: ResponseFields): Pair[] {
  return Array.from({ length: fields.count }, (_, index) => [
    fields.names[index],
    fields.values[index],
  ]);
}

describe('ResponseFields', () => {
  it('behaves as a list of pairs for any order of calls', (context) => {
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const fields = new ResponseFields();
      let model: Pair[] = [];
      for (const one of steps) {
        model = applied(fields, model, one.op, one.name, one.value);
        checkAgainst(fields, model);
      }
      fields.reset();
      checkAgainst(fields, []);
    });
    fc.assert(property, seeded(context, 400));
  });

  it('keeps every member of Vary that was ever set, once', () => {
    const fields = new ResponseFields();
    const varies = () => pairs(fields).filter(([name]) => name.toLowerCase() === 'vary');
    fields.set('Vary', 'vary', 'Origin');
    fields.set('vary', 'vary', 'Accept, origin ,,X-A');
    assert.deepEqual(varies(), [
      ['Vary', 'Origin'],
      ['vary', 'Accept, X-A'],
    ]);
    fields.set('Vary', 'vary', 'x-a');
    fields.append('Vary', 'vary', 'ORIGIN');
    fields.append('Vary', 'vary', 'B, b, *');
    fields.remove('vary');
    fields.set('X', 'x', '1');
    assert.deepEqual(varies(), [
      ['Vary', 'Origin'],
      ['vary', 'Accept, X-A'],
      ['Vary', 'B, *'],
    ]);
    const characters = pairs(fields).reduce((sum, [name, it]) => sum + name.length + it.length, 0);
    assert.equal(fields.characters, characters);
    assert.throws(() => fields.set('Vary', 'vary', 'a\r\nb'), TypeError);
    assert.throws(() => fields.append('Vary', 'vary', 'a\0b'), TypeError);
    fields.reset();
    fields.append('Vary', 'vary', 'Accept');
    assert.deepEqual(varies(), [['Vary', 'Accept']]);
  });

  function applied(
    fields: ResponseFields,
    model: readonly Pair[],
    op: string,
    name: string,
    given: string,
  ): Pair[] {
    const lower = name.toLowerCase();
    const isOther = (pair: Pair) => pair[0].toLowerCase() !== lower;
    if (op === 'append') {
      fields.append(name, lower, given);
      return [...model, [name, given]];
    }
    if (op === 'remove') {
      fields.remove(lower);
      return model.filter(isOther);
    }
    fields.set(name, lower, given);
    const first = model.findIndex((pair) => !isOther(pair));
    if (first < 0) return [...model, [name, given]];
    const replaced: Pair = [model[first][0], given];
    return model.flatMap((pair, at) => (at === first ? [replaced] : isOther(pair) ? [pair] : []));
  }

  function checkAgainst(fields: ResponseFields, model: readonly Pair[]): void {
    assert.deepEqual(pairs(fields), model);
    const characters = model.reduce((sum, [name, given]) => sum + name.length + given.length, 0);
    assert.equal(fields.characters, characters);
    assert.equal(
      fields.hasDate,
      model.some(([name]) => name.toLowerCase() === 'date'),
    );
    for (const name of names) {
      const lower = name.toLowerCase();
      const at = model.findIndex((pair) => pair[0].toLowerCase() === lower);
      assert.equal(fields.find(lower), at);
      assert.equal(fields.get(lower), at < 0 ? undefined : model[at][1]);
    }
  }

  it('a rejected value changes nothing', () => {
    const fields = new ResponseFields();
    fields.set('A', 'a', 'kept');
    assert.throws(() => fields.set('A', 'a', 'x\r\ny'), TypeError);
    assert.throws(() => fields.append('B', 'b', '\0'), TypeError);
    assert.deepEqual(pairs(fields), [['A', 'kept']]);
  });
});

describe('names and values', () => {
  it('a name is a token of RFC 9110 5.6.2, character by character', () => {
    const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code);
      const expected = token.test(character);
      assert.equal(isToken(character), expected, `character ${code}`);
      assert.equal(isToken(`a${character}b`), expected, `character ${code}`);
      if (expected) assert.equal(checkedName(`x${character}`), `x${character.toLowerCase()}`);
      else assert.throws(() => checkedName(`x${character}`), TypeError);
    }
    assert.equal(isToken(''), false);
    assert.throws(() => checkedName(''), TypeError);
    for (const odd of [undefined, null, 7, ['a']]) {
      assert.throws(() => checkedName(odd as unknown as string), TypeError);
    }
  });

  it('checks names also when its cache of names is full', () => {
    for (let count = 0; count < 2000; count++) {
      assert.equal(checkedName(`X-Made-Up-${count}`), `x-made-up-${count}`);
    }
    assert.throws(() => checkedName('a b'), TypeError);
  });

  it('a value contains only what RFC 9110 5.5 allows, and no line ends', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code);
      const allowed = code === 9 || (code >= 32 && code !== 127 && code <= 255);
      if (allowed) checkValue('x', `a${character}`);
      else {
        assert.throws(() => checkValue('X-Name', `a${character}`), {
          name: 'TypeError',
          message: `the value of field X-Name cannot contain character ${code} at 1`,
        });
      }
    }
  });
});

describe('the limits of ResponseFields', () => {
  it('limits the number of fields', () => {
    const fields = new ResponseFields();
    for (let index = 0; index < RESPONSE_FIELDS_MAX; index++) fields.append('A', 'a', 'b');
    const full = /a response has 1000 fields at most/;
    assert.throws(() => fields.append('A', 'a', 'b'), full);
    assert.throws(() => fields.set('B', 'b', 'c'), full);
    assert.equal(fields.count, RESPONSE_FIELDS_MAX);
    assert.equal(fields.characters, 2 * RESPONSE_FIELDS_MAX);
  });

  it('has room for a field of the server when it is full', () => {
    const fields = new ResponseFields();
    for (let index = 0; index < RESPONSE_FIELDS_MAX; index++) fields.append('A', 'a', 'b');
    fields.setKnown('B', 'b', 'c');
    fields.setKnown('B', 'b', 'd');
    assert.equal(fields.count, RESPONSE_FIELDS_MAX + 1);
    assert.throws(() => fields.append('A', 'a', 'b'), RangeError);
    fields.set('A', 'a', 'b');
    fields.append('A', 'a', 'b');
    assert.equal(fields.count, 3);
  });

  it('limits the bytes of the fields', () => {
    const fields = new ResponseFields();
    const half = 'v'.repeat(RESPONSE_FIELD_BYTES_MAX / 2 - 1);
    fields.set('A', 'a', half);
    fields.append('A', 'a', half);
    assert.equal(fields.characters, RESPONSE_FIELD_BYTES_MAX);
    const full = /the fields of a response have 1048576 bytes at most/;
    assert.throws(() => fields.append('B', 'b', ''), full);
    assert.throws(() => fields.set('B', 'b', ''), full);
    assert.throws(() => fields.set('A', 'a', `${half}v`), full);
    assert.equal(fields.count, 2);
    assert.equal(fields.characters, RESPONSE_FIELD_BYTES_MAX);
    fields.set('A', 'a', half);
    assert.equal(fields.count, 1);
  });

  it('setKnown() adds or replaces a field as set() does', () => {
    const fields = new ResponseFields();
    fields.setKnown('Content-Type', 'content-type', 'one');
    assert.deepEqual(pairs(fields), [['Content-Type', 'one']]);
    fields.append('A', 'a', 'b');
    fields.setKnown('Content-Type', 'content-type', 'three');
    assert.deepEqual(pairs(fields), [
      ['Content-Type', 'three'],
      ['A', 'b'],
    ]);
    assert.equal(fields.characters, 'Content-TypethreeAb'.length);
    fields.set('A', 'a', 'longer');
    assert.equal(fields.characters, 'Content-TypethreeAlonger'.length);
  });

  it('names the rejected field name', () => {
    assert.throws(
      () => checkedName('a b'),
      /^TypeError: a field name must be an HTTP token, given "a b"$/,
    );
    assert.throws(() => checkedName(7 as unknown as string), /HTTP token, given 7$/);
    assert.throws(() => checkedName('\x7f'), /must be an HTTP token/);
    assert.throws(() => checkedName('\x80'), /must be an HTTP token/);
  });
});
