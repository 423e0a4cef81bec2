// The hooks before() and after() of collected tests: those of a group run around each of its
// tests, since a mutant is tested with some of them only. Where after() undoes what was done while
// the group was declared, without before(), it runs when the process exits.

export type Hook = () => unknown;

export interface Group {
  readonly name: string;
  readonly outer: Group | null;
  readonly before: Hook[];
  readonly after: Hook[];
  readonly beforeEach: Hook[];
  readonly afterEach: Hook[];
}

export function groupIn(outer: Group | null, name: string): Group {
  const group: Group = { name, outer, before: [], after: [], beforeEach: [], afterEach: [] };
  process.once('exit', () => {
    if (group.before.length === 0) for (const hook of group.after) hook();
  });
  return group;
}

/** The names of a group and of those around it. */
export function namesOf(group: Group | null): readonly string[] {
  return group === null ? [] : [...namesOf(group.outer), group.name];
}

/** Runs a test with the hooks of its groups, the outer ones first; after() runs also on failure. */
export async function withHooks(group: Group | null, body: () => Promise<void>): Promise<void> {
  if (group === null) return body();
  await withHooks(group.outer, async () => {
    try {
      for (const hook of [...group.before, ...group.beforeEach]) await hook();
      await body();
    } finally {
      for (const hook of group.afterEach) await hook();
      if (group.before.length > 0) for (const hook of group.after.toReversed()) await hook();
    }
  });
}
