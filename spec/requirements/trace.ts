// Brings requirements and what tests them together: tests by name, cases by the words they quote.

import type { Rule } from '../cases/case.ts';
import type { Requirement, Statement, TestName } from './read.ts';

/** What of a case is looked at. */
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
  /** Quotes of no sentence, tests that are not there, sentences without test or reason. */
  readonly problems: readonly string[];
}

/** `source` gives the text of a test file, '' when there is none. */
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
          `${file}:${rule.line}: no sentence of RFC ${rule.rfc} §${rule.section} is: ${rule.quote}`,
        );
      }
    }
  }
  for (const statement of statements) {
    if (!usedStatements.has(statement)) problems.push(`nobody quotes: ${statement.sentence}`);
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

/** Whether a rule's words are those of a sentence, from anywhere in it on. */
function quotes(rule: Rule, of: Statement): boolean {
  if (rule.rfc !== of.rfc || rule.section !== of.section) return false;
  const quote = plain(rule.quote);
  const sentence = plain(of.sentence);
  // A quote may hold a sentence and its neighbour.
  return sentence.includes(quote) || quote.includes(sentence);
}

/** Words alone: references to sections and documents may be left out of a quote. */
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
  if (text === '') return `there is no ${file}`;
  // A test's name is a string on a line of its own or behind the call that declares it.
  const lines = text.split('\n').filter((line) => line.includes(name));
  const declares = lines.some((line) => /^\s*(\w+\(\s*)?['"`[]/.test(line));
  return declares ? null : `${file} has no test "${name}"`;
}
