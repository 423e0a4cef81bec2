// node:cluster, loaded when a process supervises workers or is one: it brings node:child_process.

import { builtInModule } from '../base/built-in-module.ts';

type NodeCluster = typeof import('node:cluster').default;

/** The module itself, which its type describes as its default export. */
export function nodeCluster(): NodeCluster {
  return builtInModule('node:cluster') as unknown as NodeCluster;
}
