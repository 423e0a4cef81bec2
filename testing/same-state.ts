// Compares the whole state of two objects, private fields included: for tests that an object which
// was used, and cleared or released, equals a new one. V8's inspector reads the private fields, so
// the compared classes need no method for it.

import assert from 'node:assert/strict';
import { Session } from 'node:inspector';

export interface SameStateOptions {
  /**
   * Fields that may differ, at any depth: names as 'nowMs' or '#head', or ends of paths as
   * '#queue.#head'. What they refer to is not compared.
   */
  readonly ignored?: readonly string[];
}

/** More differences than this are not listed. */
const LISTED_MAX = 20;

/** Asserts that `used` has the same state as `fresh`; a failure lists the fields that differ. */
export function assertSameState(
  used: unknown,
  fresh: unknown,
  options: SameStateOptions = {},
): void {
  const found = stateDifferences(used, fresh, options);
  assert.deepEqual(found, [], `used and fresh differ:\n${found.join('\n')}`);
}

/**
 * The fields that differ, each as ".path: used value, fresh value". Two functions count as equal.
 * Objects are compared by class and fields, collections and typed arrays by content.
 */
export function stateDifferences(
  used: unknown,
  fresh: unknown,
  { ignored = [] }: SameStateOptions = {},
): readonly string[] {
  const comparison = new Comparison(ignored);
  comparison.compare('', used, fresh);
  return comparison.found;
}

class Comparison {
  readonly found: string[] = [];
  readonly #ignored: readonly string[];
  /** Pairs that are compared already, or in progress: objects may refer to each other. */
  readonly #seen = new Map<object, Set<object>>();

  constructor(ignored: readonly string[]) {
    this.#ignored = ignored.map((name) => `.${name}`);
  }

  compare(path: string, used: unknown, fresh: unknown): void {
    if (Object.is(used, fresh) || this.found.length >= LISTED_MAX) return;
    if (this.#ignored.some((name) => path.replaceAll(/\[[^\]]*\]/g, '').endsWith(name))) return;
    if (typeof used === 'function' && typeof fresh === 'function') return;
    if (!isObject(used) || !isObject(fresh) || classOf(used) !== classOf(fresh)) {
      this.found.push(`${path}: ${shown(used)}, ${shown(fresh)}`);
      return;
    }
    const seen = this.#seen.get(used) ?? new Set();
    this.#seen.set(used, seen);
    if (seen.has(fresh)) return;
    seen.add(fresh);
    this.#compareParts(path, partsOf(used), partsOf(fresh));
  }

  #compareParts(path: string, used: Parts, fresh: Parts): void {
    for (const name of new Set([...used.keys(), ...fresh.keys()])) {
      this.compare(`${path}${name}`, used.get(name), fresh.get(name));
    }
  }
}

/** What an object consists of, by '.field', '[index]' or '.size'. */
type Parts = ReadonlyMap<string, unknown>;

function partsOf(object: object): Parts {
  if (ArrayBuffer.isView(object)) return itemsOf(bytesOf(object) ?? (object as Int32Array));
  if (object instanceof ArrayBuffer) return itemsOf(new Uint8Array(object));
  const parts = new Map<string, unknown>();
  if (object instanceof Map) {
    let index = 0;
    for (const [key, value] of object) {
      parts.set(`[key ${index}]`, key);
      parts.set(`[value ${index}]`, value);
      index += 1;
    }
  }
  if (object instanceof Set) {
    for (const [at, item] of [...object].entries()) parts.set(`[item ${at}]`, item);
  }
  for (const name of Reflect.ownKeys(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (descriptor === undefined || !('value' in descriptor)) continue;
    const isIndex = typeof name === 'string' && Array.isArray(object) && /^\d+$/.test(name);
    parts.set(isIndex ? `[${name}]` : `.${String(name)}`, descriptor.value);
  }
  if (!Array.isArray(object)) {
    for (const [name, value] of privateFields(object)) parts.set(`.${name}`, value);
  }
  return parts;
}

function bytesOf(view: ArrayBufferView): Uint8Array | null {
  if (!(view instanceof DataView)) return null;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Only items that are not zero: with the length they are the whole content. */
function itemsOf(items: ArrayLike<unknown>): Parts {
  const parts = new Map<string, unknown>([['.length', items.length]]);
  for (let at = 0; at < items.length; at++) {
    if (items[at] !== 0) parts.set(`[${at}]`, items[at]);
  }
  return parts;
}

const session = new Session();
let isConnected = false;
/** Where the inspector's functions find and leave objects. */
const exchange: { object: unknown } = { object: null };
const EXCHANGE = Symbol.for('testing/same-state');

/** The private fields of an object by name as '#head', those of its base classes included. */
export function privateFields(object: object): Map<string, unknown> {
  if (!isConnected) {
    isConnected = true;
    session.connect();
    // Another generation of this module may have it: mutation tests load all modules again.
    Object.defineProperty(globalThis, EXCHANGE, { value: exchange, configurable: true });
  }
  exchange.object = object;
  const expression = `globalThis[Symbol.for('testing/same-state')].object`;
  const objectGroup = 'same-state';
  const target = post<Evaluated>('Runtime.evaluate', { expression, objectGroup });
  const { objectId } = target.result;
  const own = post<Properties>('Runtime.getProperties', { objectId, ownProperties: true });
  const fields = new Map<string, unknown>();
  for (const { name, value } of own.privateProperties ?? []) {
    // Private methods and accessors are no state.
    if (value !== undefined) fields.set(uniqueName(fields, name), remoteValue(value));
  }
  post('Runtime.releaseObjectGroup', { objectGroup });
  exchange.object = null;
  return fields;
}

/** A base class may have a private field of the same name. */
function uniqueName(fields: ReadonlyMap<string, unknown>, name: string): string {
  let unique = name;
  while (fields.has(unique)) unique += "'";
  return unique;
}

interface Remote {
  readonly type: string;
  readonly subtype?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly objectId?: string;
}
interface Evaluated {
  readonly result: Remote;
}
interface Properties {
  readonly privateProperties?: readonly { readonly name: string; readonly value?: Remote }[];
}

function remoteValue(remote: Remote): unknown {
  if (remote.objectId !== undefined) {
    const take = `function () { globalThis[Symbol.for('testing/same-state')].object = this; }`;
    post('Runtime.callFunctionOn', { objectId: remote.objectId, functionDeclaration: take });
    return exchange.object;
  }
  const text = remote.unserializableValue;
  if (text === undefined) return remote.value;
  return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text);
}

/** The inspector of the same thread calls back before post() returns. */
function post<T>(method: string, parameters: object): T {
  let result: T | null = null;
  session.post(method, parameters, (error, value) => {
    if (error === null) result = value as T;
  });
  assert.ok(result !== null, `the inspector carries out ${method}`);
  return result;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function classOf(object: object): unknown {
  return Object.getPrototypeOf(object);
}

function shown(value: unknown): string {
  if (!isObject(value)) return String(value);
  return `an object of ${(value.constructor as { name?: string } | undefined)?.name ?? 'no class'}`;
}
