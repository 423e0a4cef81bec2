// The suite of the contract in driver.ts, which every driver must pass.

import { randomInt } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { assert } from '../../../src/base/assert.ts';
import { abortCases } from './aborts.ts';
import { breakCases } from './breaks.ts';
import { byteCases } from './bytes.ts';
import type { Case } from './case.ts';
import { Client } from './client.ts';
import { endCases } from './ends.ts';
import { exhaustedCases, isExhausted, serveExhausted } from './exhausted.ts';
import { fileCases } from './files.ts';
import { Fixture, type MakeDriver } from './fixture.ts';
import { inheritedCases, isInheriting, serveInherited } from './inherited.ts';
import { listenCases } from './listen.ts';
import { manySocketCases } from './many-sockets.ts';
import { alsoCases } from './second-listener.ts';

/** The longest that a case may take; one that hangs fails instead of blocking the suite. */
const CASE_TIMEOUT_MS = 60_000;

/** How long resources that a failed case left open may keep the process alive. */
const EXIT_TIMEOUT_MS = 5_000;

export interface DriverSuite {
  readonly name: string;
  readonly make: MakeDriver;
  /** Cases that the driver does not pass, by name, with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

export function runDriverCases({ name, make, skip = {} }: DriverSuite): void {
  if (isInheriting()) {
    void serveInherited(make);
    return;
  }
  if (isExhausted()) {
    void serveExhausted(make);
    return;
  }
  const cases = [
    ...listenCases,
    ...alsoCases,
    ...inheritedCases,
    ...exhaustedCases,
    ...byteCases,
    ...fileCases,
    ...endCases,
    ...abortCases,
    ...breakCases,
    ...manySocketCases,
  ];
  for (const skipped of Object.keys(skip)) {
    assert(
      cases.some((completion) => completion.name === skipped),
      `a skipped case exists: ${skipped}`,
    );
  }
  const seed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 31));
  describe(`driver ${name}, seed ${seed}`, () => {
    after(() => {
      setTimeout(() => process.exit(1), EXIT_TIMEOUT_MS).unref();
    });
    for (const completion of cases) {
      const reason = skip[completion.name] ?? completion.needs ?? null;
      const options = reason === null ? {} : { skip: reason };
      it(completion.name, { timeout: CASE_TIMEOUT_MS, ...options }, () =>
        runCase(completion, make, seed),
      );
    }
  });
}

async function runCase(completion: Case, make: MakeDriver, seed: number): Promise<void> {
  const fixture = new Fixture(make, completion.options);
  try {
    await completion.run({ fixture, make, seed });
  } catch (error) {
    // The first failure counts; leftovers are only its consequence.
    await fixture.end().catch(() => {});
    Client.destroyAll();
    throw error;
  }
  try {
    await fixture.end();
  } finally {
    Client.destroyAll();
  }
}

/** True when VIBING_DRIVERS (a list with commas) names the driver, or names none. */
export function isChosen(name: string): boolean {
  const chosen = process.env['VIBING_DRIVERS'];
  return chosen === undefined || chosen === '' || chosen.split(',').includes(name);
}
