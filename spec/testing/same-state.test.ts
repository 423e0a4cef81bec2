// The comparison of states that tests of reused objects rely on: it must see every kind of field.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ring } from '../../src/base/ring.ts';
import { assertSameState, privateFields, stateDifferences } from '../../testing/same-state.ts';

class Base {
  #hidden = 0;

  hide(value: number): void {
    this.#hidden = value;
  }

  get hidden(): number {
    return this.#hidden;
  }
}

class Everything extends Base {
  #own: unknown = 1;
  public: unknown = 'a';
  readonly list: unknown[] = [1, { deep: 2 }];
  readonly words: Int32Array = new Int32Array(3);
  readonly bytes: ArrayBuffer = new ArrayBuffer(4);
  readonly map: Map<string, unknown> = new Map([['key', 1]]);
  readonly set: Set<number> = new Set([1]);
  readonly ring: Ring = new Ring(4);
  readonly call: () => void = () => {};
  self: Everything | null = this;

  own(value: unknown): void {
    this.#own = value;
  }

  get ownValue(): unknown {
    return this.#own;
  }
}

const CHANGES: readonly [string, (object: Everything) => void][] = [
  ['.public', (object) => (object.public = 'b')],
  ['.#own', (object) => object.own(2)],
  ['.#own', (object) => object.own(Number.NaN)],
  ['.#own', (object) => object.own(-0)],
  ['.#own', (object) => object.own(undefined)],
  ['.#own', (object) => object.own(2n)],
  ['.#own', (object) => object.own({ an: 'object' })],
  ['#hidden', (object) => object.hide(1)],
  ['.list[0]', (object) => (object.list[0] = 2)],
  ['.list[1].deep', (object) => (object.list[1] = { deep: 3 })],
  ['.list[1].more', (object) => (object.list[1] = { deep: 2, more: 1 })],
  ['.list[2]', (object) => object.list.push(3)],
  ['.words[2]', (object) => (object.words[2] = 1)],
  ['.bytes[3]', (object) => (new Uint8Array(object.bytes)[3] = 1)],
  ['.map[value 0]', (object) => object.map.set('key', 2)],
  ['.map[key 1]', (object) => object.map.set('other', 1)],
  ['.set[item 1]', (object) => object.set.add(2)],
  ['.ring.#tail', (object) => object.ring.push(0)],
  ['.self', (object) => (object.self = null)],
];

describe('the state of two objects', () => {
  it('is the same for two new ones, also where they refer to themselves', () => {
    assertSameState(new Everything(), new Everything());
  });

  for (const [index, [field, change]] of CHANGES.entries()) {
    it(`differs in ${field} (change ${index})`, () => {
      const used = new Everything();
      change(used);
      const found = stateDifferences(used, new Everything());
      assert.ok(found.length > 0 && found[0].includes(field), found.join('\n'));
      assert.throws(() => assertSameState(used, new Everything()), /used and fresh differ/);
    });
  }

  it('may differ in ignored fields, by name or by the end of a path', () => {
    const used = new Everything();
    used.ring.push(1);
    used.own(2);
    assertSameState(used, new Everything(), { ignored: ['ring', '#own'] });
    const ignored = ['ring.#items', 'ring.#tail', '#own'];
    assertSameState(used, new Everything(), { ignored });
    assert.equal(stateDifferences(used, new Everything(), { ignored: ['ring.#items'] }).length, 2);
  });

  it('includes the class', () => {
    assert.equal(stateDifferences(new Base(), {}).length, 1);
    assert.equal(stateDifferences([], {}).length, 1);
  });

  it('holds the private fields themselves, not copies', () => {
    const object = new Everything();
    const inner = { a: 1 };
    object.own(inner);
    assert.equal(privateFields(object).get('#own'), inner);
  });
});
