// Checks of documents: their commands, links and paths exist.

import { posix } from 'node:path';
import { lineAt, type Source } from './source.ts';

/** Every `npm run NAME` is a script of package.json. */
export function commands(file: Source, scripts: ReadonlySet<string>): readonly string[] {
  const problems: string[] = [];
  for (const match of file.text.matchAll(/\bnpm run(?: --?[\w-]+)* (\w(?:[\w:.-]*\w)?)/g)) {
    const name = match[1] ?? '';
    if (scripts.has(name)) continue;
    problems.push(`${file.path}:${lineAt(file.text, match.index)}: no script '${name}'`);
  }
  return problems;
}

/** Every link of a Markdown text to a file of the project leads to a file. */
export function links(file: Source, exists: (path: string) => boolean): readonly string[] {
  const problems: string[] = [];
  const text = withoutCode(file.text);
  for (const match of text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)/gm)) {
    const target = (match[1] ?? match[2] ?? '').replace(/[#?].*$/, '');
    if (target === '' || /^[a-z]+:/.test(target)) continue;
    const path = posix.normalize(posix.join(posix.dirname(file.path), decodeURI(target)));
    const isOutside = path.startsWith('../') || target.startsWith('/');
    if (!isOutside && exists(path)) continue;
    problems.push(`${file.path}:${lineAt(text, match.index)}: no file '${target}'`);
  }
  return problems;
}

/**
 * Every path of the project in inline code is one of a file or folder. Placeholders, as in
 * `fuzz/targets/NAME.ts`, patterns, and what is installed are no such paths.
 */
export function paths(file: Source, exists: (path: string) => boolean): readonly string[] {
  const problems: string[] = [];
  const text = withoutFences(file.text);
  const folder = /`((?:src|spec|harness|perf|fuzz|testing|docs|examples)\/[\w./-]*)`/g;
  for (const match of text.matchAll(folder)) {
    const path = match[1] ?? '';
    const isOther = /\/[A-Z]+\b(?!\.md)|\/node_modules\//.test(path);
    if (isOther || exists(path)) continue;
    problems.push(`${file.path}:${lineAt(text, match.index)}: no file or folder '${path}'`);
  }
  return problems;
}

/** Fenced and inline code blanked out, lines kept. */
function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, blank);
}

function withoutFences(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, blank);
}

function blank(code: string): string {
  return code.replace(/[^\n]/g, ' ');
}
