// Loads case files, and rejects everything that is not exactly of the form of spec/cases/README.md:
// a typing error in a case would otherwise be a test without effect.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, CaseLimits, Rule } from './case.ts';
import { expectationFrom } from './expectation.ts';
import { decode, Malformed } from './notation.ts';

/** The compiled file is in build/spec/cases/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = 'spec/cases';

/** The case files of the project except the README, sorted. */
export function caseFiles(): readonly string[] {
  return readdirSync(join(ROOT, FOLDER))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => `${FOLDER}/${name}`);
}

/** Every case of the project. */
export function allCases(): readonly Case[] {
  const cases = caseFiles().flatMap((file) =>
    casesOf(file, readFileSync(join(ROOT, file), 'utf8')),
  );
  rejectDuplicates(cases);
  return cases;
}

/** Throws when two cases send the same bytes with the same limits: one of them is redundant. */
export function rejectDuplicates(cases: readonly Case[]): void {
  const seen = new Map<string, Case>();
  for (const one of cases) {
    const key = JSON.stringify([one.request, one.limits]);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new Malformed(
        one.file,
        one.line,
        `sends the same bytes as ${other.id}; remove one of them`,
      );
    }
    seen.set(key, one);
  }
}

/** The cases in the text of one file. */
export function casesOf(file: string, text: string): readonly Case[] {
  return new CaseReader(file, text).read();
}

interface Block {
  /** The number of its first line in the file. */
  readonly line: number;
  readonly lines: readonly string[];
}

class CaseReader {
  readonly #file: string;
  readonly #lines: readonly string[];
  #at = 0;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#lines = text.split('\n');
    // The empty text after the last newline.
    if (this.#lines.at(-1) === '') this.#lines = this.#lines.slice(0, -1);
  }

  read(): readonly Case[] {
    if (!/^# \S/.test(this.#line())) this.#fail('a file must begin with # and its title');
    this.#at += 1;
    if (this.#prose() === 0) this.#fail('a title must be followed by what the file is about');
    const cases: Case[] = [];
    const names = new Set<string>();
    while (this.#at < this.#lines.length) {
      const one = this.#case();
      if (names.has(one.id)) this.#failAt(one.line, `the name ${one.id} already exists`);
      names.add(one.id);
      cases.push(one);
    }
    if (cases.length === 0) this.#fail('the file has no case');
    return cases;
  }

  #case(): Case {
    const line = this.#at + 1;
    const name = /^## ([a-z0-9]+(?:-[a-z0-9]+)*)$/.exec(this.#line())?.[1];
    if (name === undefined) this.#fail('a case must begin with ## and its name in small-words');
    this.#at += 1;
    this.#prose();
    const request = this.#request(this.#block('request'));
    this.#blank();
    const { expected, limits, choice, rules } = this.#expectation(this.#block('expect'));
    if (this.#at < this.#lines.length) this.#blank();
    const id = `${this.#file.replace(/^.*\/|\.md$/g, '')}#${name}`;
    return { file: this.#file, line, id, request, expected, limits, choice, rules };
  }

  #expectation(block: Block): Omit<Case, 'file' | 'line' | 'id' | 'request'> {
    const parsed = expectationFrom(block.lines);
    if ('problem' in parsed) this.#failAt(block.line + parsed.index, parsed.problem);
    const rules: Rule[] = parsed.rules.map(({ index, ...rule }) => ({
      ...rule,
      line: block.line + index,
    }));
    const limits: CaseLimits = parsed.limits;
    return { expected: parsed.expected, limits, choice: parsed.choice, rules };
  }

  /** Skips text between blank lines, up to a heading or a block; returns its number of lines. */
  #prose(): number {
    let count = 0;
    this.#blank();
    while (this.#at < this.#lines.length && !/^(#|```)/.test(this.#line())) {
      if (this.#line() !== '') count += 1;
      else if (this.#lines[this.#at + 1] === '') this.#fail('two blank lines');
      this.#at += 1;
    }
    if (count > 0 && this.#lines[this.#at - 1] !== '') this.#fail('a blank line is missing');
    return count;
  }

  #block(kind: string): Block {
    if (this.#line() !== `\`\`\`${kind}`) this.#fail(`\`\`\`${kind} is missing`);
    const line = this.#at + 2;
    const end = this.#lines.indexOf('```', this.#at + 1);
    if (end < 0) this.#fail(`\`\`\`${kind} has no end`);
    const lines = this.#lines.slice(this.#at + 1, end);
    if (lines.length === 0) this.#fail(`\`\`\`${kind} is empty`);
    this.#at = end + 1;
    return { line, lines };
  }

  /** Each line of the request is one line of the file: a \n must be at the end of its line. */
  #request(block: Block): string {
    let request = '';
    block.lines.forEach((text, index) => {
      const line = block.line + index;
      if (text === '') this.#failAt(line, 'an empty line sends nothing');
      if (text.endsWith(' ')) this.#failAt(line, 'an invisible space at the end; write \\x20');
      const decoded = decode(text);
      if ('problem' in decoded) this.#failAt(line, decoded.problem);
      const feeds = text.replace(/\\\\/g, '').match(/\\n(?!$)/) !== null;
      if (feeds && !text.includes('\\{')) this.#failAt(line, 'text follows \\n on its line');
      request += decoded.bytes;
    });
    return request;
  }

  #blank(): void {
    if (this.#lines[this.#at] !== '') this.#fail('a blank line is missing');
    this.#at += 1;
  }

  #line(): string {
    return this.#lines[this.#at] ?? '';
  }

  #fail(problem: string): never {
    this.#failAt(this.#at + 1, problem);
  }

  #failAt(line: number, problem: string): never {
    throw new Malformed(this.#file, line, problem);
  }
}
