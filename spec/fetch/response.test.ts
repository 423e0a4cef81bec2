// The lean Response: it has what Node's own has, member by member, for whatever it is made of; and
// as the global Response it works with Node's own.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { NativeResponse } from '../../src/fetch/native.ts';
import { overrideGlobals } from '../../src/fetch/override.ts';
import { LeanResponse } from '../../src/fetch/response.ts';

type WebResponse = globalThis.Response;
type Arguments = [body?: unknown, init?: unknown];

const Lean = LeanResponse as unknown as typeof globalThis.Response;

afterEach(() => {
  globalThis.Response = NativeResponse;
});

/** The text of an error, or what is known of a Response. */
async function outcome(Kind: typeof globalThis.Response, given: Arguments): Promise<unknown> {
  let response: WebResponse;
  try {
    response = new Kind(...(given as [string]));
  } catch (error) {
    return (error as Error).constructor.name;
  }
  const { status, statusText, ok, type, url, redirected, bodyUsed } = response;
  const headers = [...response.headers].map(([name, value]) => [
    name,
    value.replace(/boundary=.*/, 'boundary'),
  ]);
  const text = (await response.clone().text()).replaceAll(/formdata-undici-\d+/g, 'boundary');
  const hasBody = response.body !== null;
  const bytes = Buffer.from(await response.arrayBuffer()).length;
  const after = response.bodyUsed;
  return {
    ...{ status, statusText, ok, type, url, redirected, bodyUsed, headers },
    ...{ text, hasBody, bytes, after },
  };
}

/** Arguments, as a function: streams and forms are used up. */
const GIVEN: readonly (() => Arguments)[] = [
  () => [],
  () => [null],
  () => [undefined, undefined],
  () => [''],
  () => ['té xt'],
  () => [5],
  () => [true],
  () => [{ toString: () => 'object' }],
  () => [new Uint8Array([1, 2])],
  () => [Buffer.from('buffer')],
  () => [new Uint8Array([1, 2]).buffer],
  () => [new Uint16Array([1, 2])],
  () => [new Blob(['b'], { type: 'a/b' })],
  () => [new URLSearchParams('a=b')],
  () => {
    const form = new FormData();
    form.set('a', 'b');
    return [form];
  },
  () => [new Blob(['stream']).stream()],
  () => {
    const stream = new Blob(['locked']).stream();
    stream.getReader();
    return [stream];
  },
  () => ['x', {}],
  () => ['x', { status: 200 }],
  () => ['x', { status: 599, statusText: 'Odd' }],
  () => ['x', { status: '404' }],
  () => ['x', { status: undefined }],
  () => ['x', { status: null }],
  () => ['x', { status: 199 }],
  () => ['x', { status: 600 }],
  () => ['x', { status: 0 }],
  () => ['x', { status: 'x' }],
  () => ['x', { status: 204 }],
  () => ['', { status: 304 }],
  () => [null, { status: 204 }],
  () => [undefined, { status: 205 }],
  () => ['x', { statusText: 'a\nb' }],
  () => ['x', { headers: {} }],
  () => ['x', { headers: { 'Content-Type': 'a/b' } }],
  () => ['x', { headers: { 'CONTENT-type': 'a/b', B: '1' } }],
  () => [
    'x',
    {
      headers: [
        ['a', '1'],
        ['A', '2'],
        ['set-cookie', 'c'],
        ['set-cookie', 'd'],
      ],
    },
  ],
  () => ['x', { headers: new Headers({ a: '1' }) }],
  () => ['x', { headers: new Map([['a', '1']]) }],
  () => ['x', { headers: { a: ' padded\t' } }],
  () => ['x', { headers: { a: '\n\r padded \r\n' } }],
  () => ['x', { headers: { a: 'é' } }],
  () => ['x', { headers: { a: '' } }],
  () => ['x', { headers: { a: 5 } }],
  () => ['x', { headers: { 'a b': '1' } }],
  () => ['x', { headers: { a: 'b\r\nc: d' } }],
  () => ['x', { headers: { a: 'b\0' } }],
  () => ['x', { headers: { a: '€' } }],
  () => ['x', { headers: [['a']] }],
  () => ['x', { headers: [['a', 'b', 'c']] }],
  () => ['x', { headers: undefined }],
  () => ['x', new NativeResponse('y', { status: 202, headers: { a: 'b' } })],
  () => ['x', new LeanResponse('y', { status: 202, headers: { a: 'b' } })],
  () => [new Uint8Array([1]), { headers: { 'content-type': 'a/b' } }],
  () => [new Blob(['b'], { type: 'a/b' }), { status: 201, headers: { 'content-type': 'c/d' } }],
];

it("is an instance of itself and of Node's own, not of each subclass", () => {
  class NotFound extends Lean {}
  for (const response of [new Lean('a'), new NativeResponse('a')]) {
    assert.ok(response instanceof Lean);
    assert.equal(response instanceof NotFound, false);
  }
  assert.ok(new NotFound('a') instanceof NotFound);
  assert.ok(new NotFound('a') instanceof Lean);
});

describe('a lean Response', () => {
  it("has the members and errors of Node's own", async () => {
    for (const [index, make] of GIVEN.entries()) {
      const own = await outcome(NativeResponse, make());
      const lean = await outcome(Lean, make());
      assert.deepEqual(lean, own, `${index}: ${inspect(make())}`);
    }
  });

  it('is cloned with the fields that were changed after its body was asked for', async () => {
    const made = new Lean('text', { headers: { a: '1', b: '2' } });
    assert.ok(made.body !== null);
    made.headers.set('a', '3');
    made.headers.delete('b');
    const copy = made.clone();
    assert.deepEqual([copy.headers.get('a'), copy.headers.get('b')], ['3', null]);
    assert.deepEqual([await copy.text(), await made.text()], ['text', 'text']);
  });

  it('keeps a copy of what it is made of', async () => {
    const bytes = new Uint8Array([97]);
    const headers = new Headers({ a: '1' });
    const record: Record<string, string> = { b: '2' };
    const first = new Lean(bytes, { headers });
    const second = new Lean('x', { headers: record });
    bytes[0] = 98;
    headers.set('a', '3');
    record['b'] = '4';
    assert.equal(await first.text(), 'a');
    assert.deepEqual([first.headers.get('a'), second.headers.get('b')], ['1', '2']);
  });

  it('is read once, in every way', async () => {
    for (const call of ['text', 'json', 'arrayBuffer', 'blob', 'bytes'] as const) {
      const read = (response: WebResponse): Promise<unknown> =>
        (response as unknown as Record<string, () => Promise<unknown>>)[call]();
      for (const body of ['[1]', Buffer.from('[1]'), new Blob(['[1]']).stream()]) {
        const response = new Lean(body as string);
        assert.equal(response.bodyUsed, false);
        await read(response);
        assert.equal(response.bodyUsed, true, call);
        await assert.rejects(() => read(response), TypeError, call);
        await assert.rejects(() => response.text(), TypeError, call);
        assert.throws(() => response.clone(), TypeError);
      }
      const empty = new Lean();
      if (call !== 'json') await read(empty);
      assert.equal(empty.bodyUsed, false);
    }
    await assert.rejects(() => new Lean('{').json(), SyntaxError);
    assert.deepEqual(await new Lean('{"a":1}').json(), { a: 1 });
  });

  it('has one body, however it is reached', async () => {
    const response = new Lean('text');
    assert.equal(response.body, response.body);
    const reader = response.body?.getReader();
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'text');
    assert.equal(response.bodyUsed, true);
    await assert.rejects(() => response.text(), TypeError);
  });

  it("has the static methods of Node's own", async () => {
    for (const Kind of [Lean, NativeResponse]) {
      const json = Kind.json({ a: 1 }, { status: 201, headers: { b: 'c' } });
      assert.deepEqual(
        [json.status, json.headers.get('b'), await json.json()],
        [201, 'c', { a: 1 }],
      );
      assert.equal(json.headers.get('content-type'), 'application/json');
      assert.throws(() => Kind.json(undefined), TypeError);
      assert.throws(() => Kind.json(Symbol('x')), TypeError);
      assert.throws(() => Kind.json({}, { status: 204 }), TypeError);
      assert.equal(Kind.error().type, 'error');
      assert.equal(Kind.redirect('http://a/', 302).status, 302);
      assert.throws(() => Kind.redirect('http://a/', 200 as 302), RangeError);
    }
  });

  it("is an instance of Node's own, and the other way round", () => {
    const lean = new Lean('x');
    assert.ok(lean instanceof NativeResponse);
    assert.ok(new NativeResponse('x') instanceof Lean);
    assert.equal(({} as unknown) instanceof Lean, false);
    assert.equal(lean.constructor.name, 'Response');
    assert.equal(Object.prototype.toString.call(lean), '[object Response]');
    assert.match(inspect(lean), /status: 200/);
  });
});

describe('the lean Response as the global one', () => {
  it("does what Node's own does, for itself and for others", async () => {
    overrideGlobals();
    assert.equal(globalThis.Response, Lean);
    overrideGlobals();
    const made = new Response('text');
    assert.ok(made instanceof Response);
    const again = new Response(made.body, made);
    assert.equal(await again.text(), 'text');
    assert.equal(again.headers.get('content-type'), 'text/plain;charset=UTF-8');
    assert.equal(made.bodyUsed, true, 'its body belongs to the second one');
    class Special extends Response {
      readonly mine = true;
    }
    const special = new Special('x');
    assert.deepEqual([special.mine, await special.text()], [true, 'x']);
    const ownData = await fetch('data:text/plain,hello');
    assert.ok(ownData instanceof Response);
    assert.equal(await ownData.text(), 'hello');
    assert.deepEqual(Object.keys(globalThis).includes('Response'), false);
  });
});
