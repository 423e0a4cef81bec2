// Tests that take turns: see testing/rotation.ts.

import { type TestContext, type TestOptions, test } from 'node:test';
import { isInTurn, THIRDS } from './rotation.ts';

export type TestBody = (context: TestContext) => Promise<void> | void;

export interface DefineTest {
  (name: string, options: TestOptions, body: TestBody): void;
  (name: string, body: TestBody): void;
}

/**
 * A function like test() for the slow tests of a file: of those that it defines, npm test runs
 * every third in turn, or one of another number of parts.
 */
export function slowTests(parts: number = THIRDS): DefineTest {
  let count = 0;
  return (name: string, options: TestOptions | TestBody, body?: TestBody) => {
    if (isInTurn(count, parts)) {
      if (typeof options === 'function') void test(name, options);
      else void test(name, options, body);
    }
    count += 1;
  };
}
