// A hook of Node's module loader, on the loader's thread. Imports of node:test resolve to the
// collector, and the imports of a compiled module have the same generation as the module.

const COLLECTOR = new URL('./collected-tests.js', import.meta.url).href;

/** The query parameter of a module's URL with its generation. */
export const GENERATION = 'generation';

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

interface Context {
  readonly parentURL?: string;
}

type Next = (specifier: string, context: Context) => Promise<Resolved>;

export async function resolve(
  specifier: string,
  context: Context,
  nextResolve: Next,
): Promise<Resolved> {
  if (specifier === 'node:test') return { url: COLLECTOR, shortCircuit: true };
  const resolved = await nextResolve(specifier, context);
  if (context.parentURL === undefined || !specifier.startsWith('.')) return resolved;
  const generation = new URL(context.parentURL).searchParams.get(GENERATION);
  if (generation === null) return resolved;
  const url = new URL(resolved.url);
  url.searchParams.set(GENERATION, generation);
  return { ...resolved, url: url.href };
}
