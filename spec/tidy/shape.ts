// Checks of form: lengths, blanks, the opening comment, language features that are not used.

import { COLUMNS_MAX, FUNCTION_LINES_MAX, fileLinesMax, INDEX_FILES, LONG_FILES } from './rules.ts';
import { isScript, lineAt, type Source } from './source.ts';

export function blanks(file: Source): readonly string[] {
  const problems: string[] = [];
  file.lines.forEach((line, index) => {
    const place = `${file.path}:${index + 1}`;
    if (line.includes('\t')) problems.push(`${place}: a tab`);
    if (line.includes('\r')) problems.push(`${place}: a carriage return`);
    if (/ $/.test(line)) problems.push(`${place}: blanks at the end of the line`);
  });
  const { text } = file;
  if (text !== '' && (!text.endsWith('\n') || text.endsWith('\n\n'))) {
    problems.push(`${file.path}: does not end in exactly one newline`);
  }
  return problems;
}

export function columns(file: Source): readonly string[] {
  const problems: string[] = [];
  file.lines.forEach((line, index) => {
    const width = [...line].length;
    if (width <= COLUMNS_MAX) return;
    problems.push(`${file.path}:${index + 1}: ${width} columns, more than ${COLUMNS_MAX}`);
  });
  return problems;
}

export function fileLength(file: Source): readonly string[] {
  const most = fileLinesMax(file.path);
  const count = file.lines.length - 1;
  if (count <= most || LONG_FILES[file.path] !== undefined) return [];
  return [`${file.path}: ${count} lines, more than ${most}`];
}

export function purpose(file: Source): readonly string[] {
  const first = file.lines[0]?.startsWith('#!') ? file.lines[1] : file.lines[0];
  if (first !== undefined && /^(\/\/|\/\*).*\w/.test(first)) return [];
  return [`${file.path}: does not open with a comment that says what it is for`];
}

export function functionLength(file: Source): readonly string[] {
  const problems: string[] = [];
  for (const { start, end } of blocks(file.code)) {
    const head = functionStart(file.code, start);
    if (head < 0) continue;
    const first = lineAt(file.code, head);
    const count = lineAt(file.code, end) - first + 1;
    if (count <= FUNCTION_LINES_MAX) continue;
    problems.push(`${file.path}:${first}: a function of ${count} lines`);
  }
  return problems;
}

export function language(file: Source): readonly string[] {
  const unused: ReadonlyArray<readonly [RegExp, string]> = [
    [/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g, 'a default export'],
    [/(?<![.\w])enum\s+\w+\s*\{/g, 'an enum; use an object `as const`'],
    [/(?<![.\w])namespace\s+\w+\s*\{/g, 'a namespace'],
    [
      /\bconstructor\s*\((?:[^)]*,)?\s*(private|public|protected|readonly)\s/g,
      'a parameter property',
    ],
    [/\/\/\s*@ts-(ignore|nocheck)/g, 'the type checker is disabled'],
  ];
  const problems: string[] = [];
  for (const [pattern, what] of unused) {
    const text = pattern.source.includes('@ts-') ? file.text : file.code;
    for (const match of text.matchAll(pattern)) {
      problems.push(`${file.path}:${lineAt(text, match.index)}: ${what}`);
    }
  }
  return problems;
}

export function indexFiles(file: Source): readonly string[] {
  const isIndex = /(^|\/)index\.m?ts$/.test(file.path);
  if (!isIndex || INDEX_FILES.includes(file.path)) return [];
  return [`${file.path}: an index file; import files by their names`];
}

/** Code in a comment is never compiled; the history keeps deleted code. */
export function deadCode(file: Source): readonly string[] {
  if (!isScript(file.path)) return [];
  const code = [
    /^(const|let|var|import|export|return|if|for|while|await|function|class|throw)\b.*[;{]$/,
    /^[\w.#]+\([^)]*\);$/,
    /^[\w.#]+(\[[^\]]*\])? [-+*|&]?= .*;$/,
    /^[)\]}]+[;,]?$/,
  ];
  const problems: string[] = [];
  for (const comment of file.comments) {
    if (!comment.text.startsWith('//')) continue;
    const text = comment.text.slice(2).trim();
    if (code.some((pattern) => pattern.test(text))) {
      problems.push(`${file.path}:${comment.line}: code in a comment`);
    }
  }
  return problems;
}

interface Block {
  readonly start: number;
  readonly end: number;
}

/** Every pair of braces. */
function blocks(code: string): readonly Block[] {
  const open: number[] = [];
  const found: Block[] = [];
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '{') open.push(at);
    if (code[at] !== '}') continue;
    const start = open.pop();
    if (start !== undefined) found.push({ start, end: at });
  }
  return found;
}

/** A result type may contain braces. */
const PARAMETERS_END = /\)(\s*:\s*(?:\{[^{}]*\})?(?:[|&<,]\s*\{[^{}]*\}|=>|[^;={}])*)?$/;

const CONTROL: readonly string[] = ['if', 'for', 'while', 'switch', 'catch', 'await'];

/** Where the function whose body opens at `brace` begins, or -1 when no function's does. */
function functionStart(code: string, brace: number): number {
  const before = code.slice(0, brace).trimEnd();
  if (before.endsWith('=>')) {
    const head = before.slice(0, -2).trimEnd();
    return head.endsWith(')') ? parameters(head) : Math.max(parameters(head), head.length - 1);
  }
  const start = parameters(before);
  if (start < 0) return -1;
  const word = /(\w+)\s*$/.exec(code.slice(0, start))?.[1] ?? '';
  return CONTROL.includes(word) ? -1 : start;
}

/** Where the parameter list begins that ends `text`, but for a result type; -1 without one. */
function parameters(text: string): number {
  const ending = PARAMETERS_END.exec(text);
  if (ending === null) return -1;
  let depth = 0;
  for (let at = ending.index; at >= 0; at--) {
    if (text[at] === ')') depth += 1;
    if (text[at] === '(') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
