// Sets private fields, for tests of counters near their greatest value, which take days to reach.
// V8's inspector writes them, so the classes need no method for it.

import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';

const GLOBAL = 'testing/private-field';
const session = new Session();
let isConnected = false;

interface Evaluated {
  readonly result: { readonly value?: unknown; readonly description?: string };
}

/** Sets numbers: `await setPrivate(ring, { '#head': 2 ** 31 - 1 })`. */
export async function setPrivate(
  object: object,
  fields: Readonly<Record<`#${string}`, number>>,
): Promise<void> {
  if (!isConnected) session.connect();
  isConnected = true;
  Reflect.set(globalThis, Symbol.for(GLOBAL), object);
  for (const [name, value] of Object.entries(fields)) {
    assert.match(name, /^#\w+$/);
    const field = `globalThis[Symbol.for('${GLOBAL}')].${name}`;
    // A name that is not declared is a syntax error; as in a debugger's console others are not.
    const expression = `${field} = ${value}; ${field}`;
    const evaluated: unknown = await session.post('Runtime.evaluate', {
      expression,
      replMode: true,
    });
    const { result } = evaluated as Evaluated;
    assert.equal(result.value, value, `${name} is set: ${result.description}`);
  }
  Reflect.deleteProperty(globalThis, Symbol.for(GLOBAL));
}
