// A hook of Node's module loader: injects the mutant into its module.

import type { LoadFnOutput, LoadHookContext } from 'node:module';
import { type Patch, patched } from './patch.ts';

let patch: Patch | null = null;

export function initialize(given: Patch): void {
  patch = given;
}

type NextLoad = (url: string, context?: Partial<LoadHookContext>) => Promise<LoadFnOutput>;

export async function load(
  url: string,
  context: LoadHookContext,
  nextLoad: NextLoad,
): Promise<LoadFnOutput> {
  const loaded = await nextLoad(url, context);
  if (patch === null || !url.endsWith(`/build/src/${patch.file}`)) return loaded;
  const source = patched(String(loaded.source), patch);
  return { ...loaded, source };
}
