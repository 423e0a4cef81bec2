// Checks of documents: their commands and links exist.

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

/** Fenced and inline code blanked out, lines kept. */
function withoutCode(text: string): string {
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ');
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank);
}
