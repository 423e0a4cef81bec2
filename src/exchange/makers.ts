// The functions that make middleware and handlers. One that is registered itself, as in use(cors)
// instead of use(cors()), would fail at each request.

const names = new WeakMap<object, string>();

/**
 * Notes a function of the package that has to be called before something is registered. The packed
 * code has no names of functions.
 */
export function noteMaker(maker: object, name: string): void {
  names.set(maker, name);
}

/** The name of such a function; undefined for another one. */
export function makerName(given: object): string | undefined {
  return names.get(given);
}
