// Replaces node:test while mutants are tested: it only collects the tests, so that one process can
// run any of them, in any order, repeatedly, each time with another mutant.

/** The part of Node's TestContext that the tests of parsers and connections use. */
export interface Context {
  readonly name: string;
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
  readonly body: Body;
}

let collected: CollectedTest[] = [];
let file = '';
let groups: readonly string[] = [];

/** The tests that a file declares when it is loaded. */
export async function collectFrom(
  path: string,
  load: () => Promise<unknown>,
): Promise<readonly CollectedTest[]> {
  collected = [];
  file = path;
  groups = [];
  await load();
  return collected;
}

/** A group: its tests are declared while its body runs. */
export function describe(name: string, ...rest: readonly unknown[]): void {
  const outer = groups;
  groups = [...outer, name];
  const body = rest.at(-1) as () => unknown;
  if (body() instanceof Promise) throw new Error(`${name}: the body of a group must not be async`);
  groups = outer;
}

export function test(name: string, ...rest: readonly unknown[]): void {
  const options = rest.length > 1 ? (rest[0] as { skip?: unknown }) : {};
  if (options.skip !== undefined && options.skip !== false) return;
  const path = [file, ...groups, name].join(' > ');
  const count = collected.filter(({ path: other }) => other === path).length;
  const id = count === 0 ? path : `${path} (${count + 1})`;
  collected.push({ id, path, file, body: rest.at(-1) as Body });
}

export { describe as suite, test as it };

/** Runs one test; rejects when it fails. */
export async function run({ id, body }: CollectedTest): Promise<void> {
  const finishers: (() => unknown)[] = [];
  const context: Context = {
    name: id,
    diagnostic() {},
    skip() {},
    after: (finish) => finishers.push(finish),
    test: async (name, inner) => {
      await run({ id: `${id} > ${name}`, path: id, file: '', body: inner });
    },
  };
  try {
    await body(context);
  } finally {
    for (const finish of finishers) await finish();
  }
}
