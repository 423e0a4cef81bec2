// Fuzzes the epoll driver on a kernel with faults. VIBING_SEED repeats a run.

import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { EpollDriver } from '../../../src/driver/linux/epoll.ts';
import { Fuzz } from '../scripted/fuzz.ts';

const RUNS = 60;
const STEPS = 300;

const first = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 30));

describe(`fuzz of the epoll driver, seed ${first}`, () => {
  it(`${RUNS} runs of ${STEPS} steps keep the contract`, () => {
    for (let seed = first; seed < first + RUNS; seed++) {
      try {
        new Fuzz((options, calls) => new EpollDriver(options, calls), seed).run(STEPS);
      } catch (error) {
        throw new Error(`repeat with VIBING_SEED=${seed}`, { cause: error });
      }
    }
  });
});
