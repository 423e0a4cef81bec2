// Scans a source text for the checks: what is code, what is a comment, what is a string. Not a
// parser: it only finds where literals begin and end.

export interface Comment {
  /** Line number, from 1. */
  readonly line: number;
  /** With its slashes or stars. */
  readonly text: string;
}

export interface Source {
  /** From the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** The text with comments and the insides of strings blanked out; same length, same lines. */
  readonly code: string;
  readonly comments: readonly Comment[];
}

export interface Import {
  readonly line: number;
  readonly specifier: string;
  /** What is imported by name; empty for a whole module. */
  readonly names: readonly string[];
  /** `import type`, which is erased. */
  readonly typeOnly: boolean;
  /** `new URL('x.js', import.meta.url)`: a script that is started rather than imported. */
  readonly isUrl: boolean;
}

/** After one of these a slash begins a regular expression; otherwise it is a division. */
const BEFORE_EXPRESSION =
  /(?:^|[-+*%=<>!&|?:;,([{}~^]|\b(?:return|typeof|case|in|of|void|throw) ?)$/;

export function source(path: string, text: string): Source {
  const comments: Comment[] = [];
  const code = isScript(path) ? new Scanner(text, comments).scan() : text;
  return { path, text, lines: text.split('\n'), code, comments };
}

export function isScript(path: string): boolean {
  return /\.m?ts$|\.m?js$/.test(path);
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}

/** What precedes the name of a module; in `code` the name itself is blanked out. */
const FROM = /\b(?:import|export)\b(\s+type\b)?[^;'"`]*?\bfrom\s*/;
const CALL = /\b(?:import|require)()\s*\(?\s*/;
const URL_OF = /\bnew\s+URL()\(\s*/;

/** Every module that a file names: static and dynamic imports, and scripts started by URL. */
export function importsOf(file: Source): readonly Import[] {
  const found: Import[] = [];
  for (const lead of [FROM, CALL, URL_OF]) {
    for (const match of file.code.matchAll(new RegExp(`${lead.source}(['"])( *)\\2`, 'g'))) {
      const end = match.index + match[0].length - 1;
      found.push({
        line: lineAt(file.text, match.index),
        specifier: file.text.slice(end - (match[3] ?? '').length, end),
        names: namesIn(match[0]),
        typeOnly: match[1]?.trim() === 'type',
        isUrl: lead === URL_OF,
      });
    }
  }
  return found.sort((one, other) => one.line - other.line);
}

function namesIn(statement: string): readonly string[] {
  const braces = /\{([^}]*)\}/.exec(statement)?.[1] ?? '';
  return braces.split(',').flatMap((one) => /^\s*(?:type\s+)?([\w$]+)/.exec(one)?.[1] ?? []);
}

class Scanner {
  readonly #text: string;
  readonly #comments: Comment[];
  readonly #out: string[] = [];
  /** The end of the code so far, without blanks: decides the meaning of a slash. */
  #before = '';
  #at = 0;

  constructor(text: string, comments: Comment[]) {
    this.#text = text;
    this.#comments = comments;
  }

  scan(): string {
    if (this.#text.startsWith('#!')) this.#blankTo(this.#lineEnd());
    this.#scanCode('');
    return this.#out.join('');
  }

  /** Copies code up to an unmatched `close`, or to the end. */
  #scanCode(close: string): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      if (character === close && depth === 0) return;
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      if (character === '/') this.#scanSlash();
      else if (character === "'" || character === '"') this.#scanString(character);
      else if (character === '`') this.#scanTemplate();
      else this.#copy();
    }
  }

  #scanSlash(): void {
    const next = this.#text[this.#at + 1];
    if (next === '/') this.#comment(this.#lineEnd());
    else if (next === '*') this.#comment(this.#after('*/', this.#at + 2));
    else if (BEFORE_EXPRESSION.test(this.#before)) this.#scanExpression();
    else this.#copy();
  }

  #comment(end: number): void {
    const line = lineAt(this.#text, this.#at);
    this.#comments.push({ line, text: this.#text.slice(this.#at, end) });
    this.#blankTo(end);
  }

  #scanString(quote: string): void {
    this.#copy();
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      if (this.#text[this.#at] === '\n') return;
      this.#blankTo(this.#at + (this.#text[this.#at] === '\\' ? 2 : 1));
    }
    this.#copy();
  }

  #scanTemplate(): void {
    this.#copy();
    while (this.#at < this.#text.length && this.#text[this.#at] !== '`') {
      if (this.#text.startsWith('${', this.#at)) {
        this.#copy();
        this.#copy();
        this.#scanCode('}');
        this.#copy();
      } else {
        this.#blankTo(this.#at + (this.#text[this.#at] === '\\' ? 2 : 1));
      }
    }
    this.#copy();
  }

  #scanExpression(): void {
    let inClass = false;
    this.#copy();
    while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') {
      const character = this.#text[this.#at];
      if (character === '/' && !inClass) break;
      if (character === '[') inClass = true;
      if (character === ']') inClass = false;
      this.#blankTo(this.#at + (character === '\\' ? 2 : 1));
    }
    this.#copy();
  }

  #copy(): void {
    const character = this.#text[this.#at] ?? '';
    this.#out.push(character);
    if (character.trim() !== '') this.#before = (this.#before + character).slice(-12);
    else if (/\w$/.test(this.#before)) this.#before += ' ';
    this.#at += 1;
  }

  #blankTo(end: number): void {
    this.#out.push(this.#text.slice(this.#at, end).replace(/[^\n]/g, ' '));
    this.#at = Math.min(end, this.#text.length);
  }

  #lineEnd(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end < 0 ? this.#text.length : end;
  }

  #after(mark: string, from: number): number {
    const found = this.#text.indexOf(mark, from);
    return found < 0 ? this.#text.length : found + mark.length;
  }
}
