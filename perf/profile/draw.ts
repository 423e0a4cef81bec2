// Draws stacks as a flame graph with 0x, which is a package of its own and knows no types.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Drawing {
  readonly title: string;
  /** Where flamegraph.html goes. */
  readonly folder: string;
  /** Where 0x is installed. */
  readonly packageFolder: string;
}

/** Its version is fixed, so that what is inside of it does not change. */
type Render = (options: Readonly<Record<string, unknown>>) => Promise<string>;

/** The graph of stacks whose frames stand outermost first; gives the path of the page. */
export function drawStacks(stacks: readonly (readonly string[])[], to: Drawing): Promise<string> {
  const render = createRequire(join(to.packageFolder, 'package.json'))('0x/lib/render') as Render;
  const ticks = stacks.map((names) => names.map((name) => ({ name, type: typeOf(name) })));
  return page(render, to, { kernelTracing: true, ticks, inlined: [] });
}

/** What a page of 0x hides until it is asked: without the kernel, little is left. */
const HIDDEN = "new Set(['cpp', 'regexp', 'v8', 'native', 'init'])";

export function unhide(html: string): string {
  if (!html.includes(HIDDEN)) throw new Error('0x hides native code in another way than before');
  return html.replace(HIDDEN, 'new Set()');
}

/** Of 0x: what is no script gets no word behind its name. */
function typeOf(name: string): string {
  return /:\d+$/.test(name) ? 'JS' : '';
}

/** The graph of a profile that V8 took. */
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
