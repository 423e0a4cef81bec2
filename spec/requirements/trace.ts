// Connects requirements with their tests: tests by name, cases by the words they quote.

import type { Rule } from '../cases/case.ts';
import type { Requirement, Statement, TestName } from './read.ts';

/** The parts of a case that are needed here. */
export interface QuotingCase {
  readonly id: string;
  readonly file: string;
  readonly rules: readonly Rule[];
}

export interface Traced {
  readonly requirement: Requirement;
  /** The cases that quote it, as 'framing#length'. */
  readonly cases: readonly string[];
}

export interface Trace {
  readonly traced: readonly Traced[];
  /** Quotes of unknown sentences, tests that do not exist, sentences without test or reason. */
  readonly problems: readonly string[];
}

/** `source` returns the text of a test file, '' when it does not exist. */
export function trace(
  requirements: readonly Requirement[],
  statements: readonly Statement[],
  cases: readonly QuotingCase[],
  source: (file: string) => string,
): Trace {
  const problems: string[] = [];
  const byId = new Map<string, Set<string>>(requirements.map(({ id }) => [id, new Set()]));
  const usedStatements = new Set<Statement>();
  for (const { id, file, rules } of cases) {
    for (const rule of rules) {
      const matches = requirements.filter((one) => quotes(rule, one));
      const plain = statements.filter((one) => quotes(rule, one));
      for (const one of matches) byId.get(one.id)?.add(id);
      for (const one of plain) usedStatements.add(one);
      if (matches.length + plain.length === 0) {
        problems.push(
          `${file}:${rule.line}: no sentence of RFC ${rule.rfc} §${rule.section}: ${rule.quote}`,
        );
      }
    }
  }
  for (const statement of statements) {
    if (!usedStatements.has(statement)) problems.push(`no case quotes: ${statement.sentence}`);
  }
  const traced = requirements.map((requirement) => {
    for (const test of requirement.tests) {
      const problem = testProblem(test, source);
      if (problem !== null) problems.push(`${requirement.id}: ${problem}`);
    }
    const quoting = [...(byId.get(requirement.id) ?? [])].sort();
    if (quoting.length + requirement.tests.length === 0 && requirement.reason === null) {
      problems.push(`${requirement.id} has neither a test nor a reason: ${requirement.sentence}`);
    }
    return { requirement, cases: quoting };
  });
  return { traced, problems };
}

/** Whether a rule's words are a part of a sentence. */
function quotes(rule: Rule, of: Statement): boolean {
  if (rule.rfc !== of.rfc || rule.section !== of.section) return false;
  const quote = plain(rule.quote);
  const sentence = plain(of.sentence);
  // A quote may contain a sentence and the next one.
  return sentence.includes(quote) || quote.includes(sentence);
}

/** Only words: a quote may omit references to sections and documents. */
function plain(text: string): string {
  return text
    .replace(/\s*\((see |e\.g\., see )?Sections? [^)]*\)/g, '')
    .replace(/\s*\[[A-Z0-9/.-]+\]/g, '')
    .replace(/["“”]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function testProblem({ file, name }: TestName, source: (file: string) => string): string | null {
  const text = source(file);
  if (text === '') return `${file} does not exist`;
  // A test's name is a string on its own line or after the call that declares it.
  const lines = text.split('\n').filter((line) => line.includes(name));
  const declares = lines.some((line) => /^\s*(\w+\(\s*)?['"`[]/.test(line));
  return declares ? null : `${file} has no test "${name}"`;
}
