// Parses the sentences of the RFCs (rfc9110.md, rfc9112.md) and the plain statements that cases
// quote (statements.md), and rejects everything that is not exactly of their form.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compiled file is in build/spec/requirements/. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

const FOLDER = 'spec/requirements';
export const RFCS = ['9112', '9110'] as const;

/** The roles that a sentence binds; for some, the reason why it cannot be tested here. */
export const BOUND: Readonly<Record<string, string | null>> = {
  server: null,
  recipient: null,
  sender: null,
  client: 'binds clients',
  proxy: 'binds proxies: this server forwards nothing',
  intermediary: 'binds intermediaries: this server forwards nothing',
  handler: 'is for the handlers of an application; the server provides the means',
  specification: 'binds authors of specifications',
};

const SENTENCE_FORM = 'the form is: `- role: Sentence.`';

const KEYWORDS =
  /\b(MUST NOT|SHALL NOT|SHOULD NOT|NOT RECOMMENDED|MUST|SHALL|REQUIRED|SHOULD|RECOMMENDED)\b/g;

/** A test, by its file and words of its name. */
export interface TestName {
  readonly file: string;
  readonly name: string;
}

export interface Requirement {
  /** Such as '9112-6.1-3': the third listed sentence of section 6.1. */
  readonly id: string;
  readonly rfc: string;
  readonly section: string;
  readonly title: string;
  readonly bound: string;
  /** The keywords in it, such as MUST NOT. */
  readonly levels: readonly string[];
  readonly sentence: string;
  readonly tests: readonly TestName[];
  /** Why no test is needed, or null. */
  readonly reason: string | null;
}

/** A sentence without a requirement: grammar, an explanation, a permission. */
export interface Statement {
  readonly rfc: string;
  readonly section: string;
  readonly sentence: string;
}

export function allRequirements(): readonly Requirement[] {
  return RFCS.flatMap((rfc) => requirementsOf(rfc, text(`rfc${rfc}.md`)));
}

export function requirementsOf(rfc: string, source: string): readonly Requirement[] {
  const found: Requirement[] = [];
  let section = '';
  let title = '';
  let count = 0;
  source.split('\n').forEach((line, index) => {
    const fail = (problem: string): never => {
      throw new Error(`${FOLDER}/rfc${rfc}.md:${index + 1}: ${problem}`);
    };
    const heading = /^## ([\d.]+) (\S.*)$/.exec(line);
    if (heading !== null) {
      [, section = '', title = ''] = heading;
      count = 0;
    } else if (line.startsWith('- ')) {
      const [, bound = '', sentence = ''] =
        /^- ([a-z]+): ([A-Z].*\.)$/.exec(line) ?? fail(SENTENCE_FORM);
      if (!(bound in BOUND)) fail(`the role ${bound} is unknown`);
      const levels = [...new Set(sentence.match(KEYWORDS) ?? fail('the sentence has no keyword'))];
      count += 1;
      const id = `${rfc}-${section}-${count}`;
      const reason = BOUND[bound] ?? null;
      found.push({ id, rfc, section, title, bound, levels, sentence, tests: [], reason });
    } else if (line.startsWith('  - ')) {
      const last = found.pop() ?? fail('a test or reason must follow a sentence');
      const test = /^ {2}- test: (spec\/\S+\.test\.ts) "(.+)"$/.exec(line);
      const because = /^ {2}- because: (\S.*)$/.exec(line);
      if (test !== null) {
        const [, file = '', name = ''] = test;
        found.push({ ...last, tests: [...last.tests, { file, name }] });
      } else if (because !== null) found.push({ ...last, reason: because[1] ?? null });
      else fail('the form is: `  - test: FILE "name"` or `  - because: reason`');
    } else if (section !== '' && line !== '') fail(SENTENCE_FORM);
  });
  return found;
}

export function allStatements(): readonly Statement[] {
  return statementsOf(text('statements.md'));
}

export function statementsOf(source: string): readonly Statement[] {
  const lines = source.split('\n').filter((line) => line.startsWith('- '));
  return lines.map((line) => {
    const [, rfc, section, sentence] = /^- (\d{4}) §([\d.]+): (\S.*)$/.exec(line) ?? [];
    if (rfc === undefined || section === undefined || sentence === undefined) {
      throw new Error(
        `${FOLDER}/statements.md: the form is \`- RFC §SECTION: sentence\`, not: ${line}`,
      );
    }
    return { rfc, section, sentence };
  });
}

function text(name: string): string {
  return readFileSync(join(ROOT, FOLDER, name), 'utf8');
}
