// Replaces node:test while mutants are tested: it only collects the tests, so that one process can
// run any of them, in any order, repeatedly, each time with another mutant.

import type { MockTracker } from 'node:test';
import { type Group, groupIn, type Hook, namesOf, withHooks } from './hooks.ts';

/** The part of Node's TestContext that the tests use. */
export interface Context {
  readonly name: string;
  readonly mock: MockTracker;
  readonly signal: AbortSignal;
  diagnostic(message: string): void;
  skip(message?: string): void;
  after(finish: () => unknown): void;
  test(name: string, body: Body): Promise<void>;
}

type Body = (context: Context) => unknown;

export interface CollectedTest {
  /** The file and the names of groups and test; the same in every process. */
  readonly id: string;
  /** As id, without the number that distinguishes equal names. */
  readonly path: string;
  readonly file: string;
  readonly group: Group | null;
  readonly body: Body;
}

let collected: CollectedTest[] = [];
let file = '';
let group: Group | null = null;
/** Node's own, since this module replaces it. */
export const mock: MockTracker = process.getBuiltinModule('node:test').mock;

/** The tests that a file declares when it is loaded. */
export async function collectFrom(
  path: string,
  load: () => Promise<unknown>,
): Promise<readonly CollectedTest[]> {
  collected = [];
  file = path;
  // Hooks of a file belong to a group without a name.
  group = groupIn(null, '');
  await load();
  return collected;
}

/** A group: its tests are declared while its body runs. */
export function describe(name: string, ...rest: readonly unknown[]): void {
  if (isSkipped(rest)) return;
  const outer = group;
  group = groupIn(outer, name);
  const body = rest.at(-1) as () => unknown;
  if (body() instanceof Promise) throw new Error(`${name}: the body of a group must not be async`);
  group = outer;
}

export function before(hook: Hook): void {
  group?.before.push(hook);
}

export function after(hook: Hook): void {
  group?.after.push(hook);
}

export function beforeEach(hook: Hook): void {
  group?.beforeEach.push(hook);
}

export function afterEach(hook: Hook): void {
  group?.afterEach.push(hook);
}

/** Whether the options of a group or test say so. */
function isSkipped(rest: readonly unknown[]): boolean {
  const { skip } = rest.length > 1 ? (rest[0] as { skip?: unknown }) : {};
  return skip !== undefined && skip !== false;
}

export function test(name: string, ...rest: readonly unknown[]): void {
  if (isSkipped(rest)) return;
  const path = [file, ...namesOf(group).filter((one) => one !== ''), name].join(' > ');
  const count = collected.filter(({ path: other }) => other === path).length;
  const id = count === 0 ? path : `${path} (${count + 1})`;
  collected.push({ id, path, file, group, body: rest.at(-1) as Body });
}

export { describe as suite, test as it };

/** Runs one test; rejects when it fails. */
export async function run({ id, group: own, body }: CollectedTest): Promise<void> {
  await withHooks(own, () => runBody(id, body));
}

async function runBody(id: string, body: Body): Promise<void> {
  const finishers: (() => unknown)[] = [];
  const context: Context = {
    name: id,
    mock,
    signal: new AbortController().signal,
    diagnostic() {},
    skip() {},
    after: (finish) => finishers.push(finish),
    test: async (name, inner) => {
      await runBody(`${id} > ${name}`, inner);
    },
  };
  try {
    await body(context);
  } finally {
    for (const finish of finishers) await finish();
    // Methods first: a timer that was replaced while time is mocked goes back to the mocked one.
    mock.restoreAll();
    mock.timers.reset();
  }
}
