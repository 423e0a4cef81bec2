// Draws stacks as a flame graph with 0x, a package below perf/packages/ without types.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Drawing {
  readonly title: string;
  /** Where flamegraph.html is written. */
  readonly folder: string;
  /** Where 0x is installed. */
  readonly packageFolder: string;
}

/** An internal module of 0x: the version is fixed by the lock file. */
type Render = (options: Readonly<Record<string, unknown>>) => Promise<string>;

/** Draws stacks whose outermost frame is first; resolves with the path of the page. */
export function drawStacks(stacks: readonly (readonly string[])[], to: Drawing): Promise<string> {
  const render = createRequire(join(to.packageFolder, 'package.json'))('0x/lib/render') as Render;
  const ticks = stacks.map((names) => names.map((name) => ({ name, type: typeOf(name) })));
  return page(render, to, { kernelTracing: true, ticks, inlined: [] });
}

/** Frames that a page of 0x hides at first: without native code and kernel little is left. */
const HIDDEN = "new Set(['cpp', 'regexp', 'v8', 'native', 'init'])";

export function unhide(html: string): string {
  if (!html.includes(HIDDEN))
    throw new Error('0x hides native code in an unknown way: adapt HIDDEN to its version');
  return html.replace(HIDDEN, 'new Set()');
}

/** 0x appends the type to the name; frames other than scripts get none. */
function typeOf(name: string): string {
  return /:\d+$/.test(name) ? 'JS' : '';
}

/** Draws a profile that V8 took; resolves with the path of the page. */
export function drawCpuProfile(visualizeCpuProfile: string, to: Drawing): Promise<string> {
  const render = createRequire(join(to.packageFolder, 'package.json'))('0x/lib/render') as Render;
  return page(render, to, { visualizeCpuProfile });
}

async function page(
  render: Render,
  { title, folder }: Drawing,
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const pathToNodeBinary = process.execPath;
  const place = { name: 'flamegraph', title, folder, workingDir: folder, pathToNodeBinary, pid: 0 };
  await render({ ...place, ...options });
  const path = join(folder, 'flamegraph.html');
  writeFileSync(path, unhide(readFileSync(path, 'utf8')));
  return path;
}
