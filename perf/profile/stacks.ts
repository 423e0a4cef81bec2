// Parses the stacks that `perf script` prints, and makes their frames readable.

import { type Place, placeIn } from './sources.ts';

export interface Frame {
  /** The name of a function in the kernel, a library or V8. */
  readonly symbol: string;
  /** The file of its code; for the kernel '[kernel.kallsyms]' or the like. */
  readonly object: string;
}

/** The innermost frame first. */
export type Stack = readonly Frame[];

/** A line such as `  7f58 JS:*turn file:///a/b.js:9:2+0x1f (/a/perf-7.map)`. */
const FRAME = /^\s+[0-9a-f]+ (.*) \((\S+)\)$/;

export function parseStacks(text: string): readonly Stack[] {
  const stacks: Frame[][] = [];
  let current: Frame[] | null = null;
  for (const line of text.split('\n')) {
    const match = FRAME.exec(line);
    if (match !== null) {
      current?.push({ symbol: match[1].replace(/\+0x[0-9a-f]+$/, ''), object: match[2] });
    } else if (line === '') {
      current = null;
    } else if (!/^\s/.test(line)) {
      current = [];
      stacks.push(current);
    }
  }
  return stacks.filter((stack) => stack.length > 0);
}

/** perf puts the kernel and its modules in brackets, and a few other objects. */
export function isKernel({ object }: Frame): boolean {
  return /^\[(?!unknown|vdso|vsyscall|heap|stack)/.test(object);
}

/**
 * The source of compiled JavaScript: `src/http/parse-head.ts` and the like, and a line. Without a
 * source map, the path in the project or the URL; '' for other frames.
 */
export function scriptOf({ symbol, object }: Frame): Place {
  const match = /((?:file:\/\/|node:)\S+?):(\d+)(?::(\d+))?$/.exec(symbol);
  if (match === null || !isScript(object)) return NOWHERE;
  const [, script = '', line = '', column = '1'] = match;
  const found = placeIn(script, Number(line), Number(column));
  return found ?? { path: projectPath(script), line: Number(line) };
}

const NOWHERE: Place = { path: '', line: 0 };

/** V8 writes the addresses of compiled code to this file for perf. */
function isScript(object: string): boolean {
  return /perf-\d+\.map$/.test(object);
}

/** `dist/x.js` of the project for a URL of a script, the URL for others. */
function projectPath(script: string): string {
  return /\/((?:src|dist|perf\/servers|build|node_modules)\/.*)$/.exec(script)?.[1] ?? script;
}

/** The name of a frame in a flame graph. */
export function frameName(frame: Frame): string {
  const { symbol, object } = frame;
  if (isKernel(frame)) return `${symbol} [kernel]`;
  const { path, line } = scriptOf(frame);
  if (path !== '') {
    const name = /^\w+:[*^~+']*(\S*) /.exec(symbol)?.[1] || 'anonymous';
    return `${name} ${path}:${line}`;
  }
  const library = object.split('/').at(-1) ?? object;
  const name = symbol === '[unknown]' ? `code of ${library}` : symbol;
  return `${name} [${library}]`;
}

/** Builtins that only enter JavaScript, at the bottom of each stack. */
const ENTRY = /^(Builtins_JSEntry|Builtins_JSEntryTrampoline)$/;

/**
 * The frames of a stack as names, the outermost first. All frames before the first JavaScript
 * become one. Below the foreign function library, whose code has no frame pointers, the caller is
 * unknown: such frames stand under `foreign call (koffi)`.
 */
export function frameNames(stack: Stack): readonly string[] {
  const known = stack.filter(({ object }) => object !== '[unknown]' && object !== '[heap]');
  const foreignAt = known.findIndex(({ object }) => object.endsWith('/koffi.node'));
  if (foreignAt >= 0) {
    const inner = known.slice(0, foreignAt).filter(({ symbol }) => symbol !== '[unknown]');
    return ['foreign call (koffi)', ...inner.map(frameName).reverse()];
  }
  const entryAt = known.findLastIndex(({ symbol }) => ENTRY.test(symbol));
  const names = (entryAt < 0 ? known : known.slice(0, entryAt))
    .filter(({ symbol }) => !ENTRY.test(symbol))
    .map(frameName)
    .reverse();
  const inner = names.filter((name) => !name.startsWith('code of perf-'));
  return [entryAt < 0 ? 'node' : "node's event loop", ...inner];
}
