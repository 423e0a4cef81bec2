// Words that the project no longer uses, in names, comments, strings and documents: each has a
// standard term in its place.

import type { Source } from './source.ts';

export interface RetiredWord {
  /** The forms of the word, part of a regular expression; they match words of identifiers, too. */
  readonly forms: string;
  readonly use: string;
  /** Uses that are accepted. */
  readonly fine?: RegExp;
  /** Beginnings of paths where the word stays, with the reason. */
  readonly stays?: Readonly<Record<string, string>>;
}

export const RETIRED_WORDS: readonly RetiredWord[] = [
  {
    forms: 'answer(?:s|ed|ing)?',
    use: 'response, respond to, respond with',
    stays: { 'perf/floor/': 'frozen code, on which the figures of the floor depend' },
  },
  { forms: 'inbox(?:es)?', use: 'receive buffer' },
  { forms: 'outbox(?:es)?', use: 'send queue' },
  { forms: 'shelf|shelves?|shelved|shelving', use: 'spill' },
  { forms: 'seats?|vacate[sd]?|vacant', use: 'worker slot; a worker that exited' },
  { forms: 'hungry|unfed|blockless', use: 'starved' },
  {
    forms: 'bells?',
    use: 'notification',
    stays: { 'spec/cases/': 'the control character BEL' },
  },
  { forms: 'harvest(?:s|ed|ing)?', use: 'reap' },
  {
    forms: 'worlds?',
    use: 'runtime (in src), fixture (in tests), environment (in the CLI)',
    fine: /Hello,? world|simulated worlds?/gi,
    stays: {
      'harness/': 'the simulated world',
      'spec/harness/': 'tests of the simulated world',
      'docs/simulator.md': 'describes the simulated world',
      'docs/glossary.md': 'defines it',
    },
  },
  { forms: 'crowds?', use: 'connection pool, clients, connections' },
  { forms: 'wheels?', use: 'request sequence', fine: /tim(?:er|ing) wheels?/gi },
  { forms: 'burden(?:s|ed)?', use: 'background load, loaded' },
  { forms: 'plant(?:s|ed|ing)', use: 'injected' },
  { forms: 'rigs?', use: 'fixture' },
  {
    forms: 'somebody|nobody|whoever|everybody|anybody',
    use: 'the client, the caller, the handler: the thing itself',
  },
  { forms: 'tell(?:s|ing)?', use: 'notify, report, say, distinguish' },
  { forms: 'gives', use: 'returns', fine: /gives (?:up|way)/gi },
  { forms: 'pieces?', use: 'chunk, segment, part' },
  { forms: 'deeds?', use: 'event, operation' },
];

/** A line of spec/cases or spec/requirements that quotes an RFC. */
const QUOTATION = /^\s*(?:rfc: |- \d{4} §)/;

/** Generated from texts that are checked themselves. */
const GENERATED: readonly string[] = ['spec/mutation/summaries/', 'spec/requirements.md'];

const ANY = new RegExp(`\\b(?:${RETIRED_WORDS.map(({ forms }) => forms).join('|')})\\b`, 'i');

/** Retired words in the path and the lines of a file. */
export function retiredWords(file: Source): readonly string[] {
  if (GENERATED.some((start) => file.path.startsWith(start))) return [];
  const words = RETIRED_WORDS.filter(
    ({ stays = {} }) => !Object.keys(stays).some((start) => file.path.startsWith(start)),
  );
  const problems: string[] = [];
  for (const [index, text] of [file.path, ...file.lines].entries()) {
    const line = spaced(text);
    if (!ANY.test(line) || QUOTATION.test(line)) continue;
    for (const { forms, use, fine } of words) {
      const rest = fine === undefined ? line : line.replace(fine, '');
      const found = new RegExp(`\\b(?:${forms})\\b`, 'i').exec(rest)?.[0];
      if (found === undefined) continue;
      problems.push(`${file.path}:${index}: '${found}' is retired; write: ${use}`);
    }
  }
  return problems;
}

/** Separates the words of identifiers: `answerBytes`, `ANSWER_BYTES`. */
function spaced(text: string): string {
  return text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ');
}
