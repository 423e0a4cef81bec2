// Node's own classes of the Fetch standard, as they were before anything replaced them, and what is
// known of their insides. They are slow: on Node 20 a Request takes 8 microseconds, a Response with
// text 25, and reading that text 45 more, most of it for a stream that nothing uses.

import { Readable } from 'node:stream';

type Key = string | symbol;

export const NativeRequest: typeof globalThis.Request = globalThis.Request;
export const NativeResponse: typeof globalThis.Response = globalThis.Response;
export const NativeHeaders: typeof globalThis.Headers = globalThis.Headers;

/**
 * Makes instances of `lean` instances of `native` too, with all of its members: those that `lean`
 * does not define, and where Node keeps its state in properties also that state, are read from the
 * object that `toNative` makes.
 */
export function extendNative<T extends object>(
  lean: { readonly name: string; readonly prototype: T },
  native: { readonly prototype: object },
  sample: object,
  toNative: (instance: T) => object,
): void {
  const target = lean.prototype;
  Object.setPrototypeOf(target, native.prototype);
  Object.setPrototypeOf(lean, native);
  for (const key of Reflect.ownKeys(native.prototype)) {
    if (Object.hasOwn(target, key)) continue;
    const { value, get } = Object.getOwnPropertyDescriptor(native.prototype, key) ?? {};
    if (get !== undefined)
      defineRead(target, key, (instance) => Reflect.get(toNative(instance), key));
    else if (typeof value === 'function') {
      const call = value as (this: object, ...given: unknown[]) => unknown;
      defineMethod(target, key, (instance: T, given) => call.apply(toNative(instance), given));
    }
  }
  for (const key of Object.getOwnPropertySymbols(sample)) {
    defineRead(target, key, (instance) => Reflect.get(toNative(instance), key));
  }
}

function defineRead<T extends object>(target: T, key: Key, read: (instance: T) => unknown): void {
  Object.defineProperty(target, key, {
    configurable: true,
    get(this: T) {
      return read(this);
    },
  });
}

function defineMethod<T extends object>(
  target: T,
  key: Key,
  call: (instance: T, given: unknown[]) => unknown,
): void {
  Object.defineProperty(target, key, {
    configurable: true,
    writable: true,
    value(this: T, ...given: unknown[]) {
      return call(this, given);
    },
  });
}

/** True when something has read of a stream, or cancelled it. */
export function isDisturbed(stream: ReadableStream): boolean {
  // It takes the streams of the web too, which its type does not say.
  return Readable.isDisturbed(stream as unknown as Readable);
}

interface NativeState {
  readonly body: { readonly source: unknown } | null;
}

const STATE: symbol | null = findState();

/** The property that has the state of a Response; null where it is private (Node 24). */
function findState(): symbol | null {
  const sample = new NativeResponse('text');
  for (const key of Object.getOwnPropertySymbols(sample)) {
    const state = Reflect.get(sample, key) as Partial<NativeState> | null | undefined;
    if (state?.body?.source === 'text') return key;
  }
  return null;
}

/** The text or bytes that a native Response was made of; null when they are not known. */
export function sourceOf(response: object): string | Uint8Array | null {
  if (STATE === null) return null;
  const state = Reflect.get(response, STATE) as Partial<NativeState> | undefined;
  const source = state?.body?.source;
  return typeof source === 'string' || source instanceof Uint8Array ? source : null;
}
