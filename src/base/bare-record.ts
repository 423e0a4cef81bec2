// Records that inherit no property, so that any name can be a key: `__proto__` and `constructor`
// are names like others. An object of Object.create(null) would do, too, but V8 keeps it as a hash
// table; one of a constructor is as fast as an object of a class.

interface BareRecordConstructor {
  new (): Record<string, string>;
}

/** `new BareRecord()` is an empty record whose prototype is frozen and has no property. */
export const BareRecord: BareRecordConstructor = /* @__PURE__ */ bareConstructor();

function bareConstructor(): BareRecordConstructor {
  const made = function BareRecord(): void {};
  made.prototype = Object.freeze(Object.create(null));
  return made as unknown as BareRecordConstructor;
}

/**
 * The same text as V8 keeps names of properties. A part of a longer string is none: each use of it
 * as a key would look that up.
 */
export function asKey(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}
