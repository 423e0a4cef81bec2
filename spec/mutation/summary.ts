// The summary of mutation testing of a folder: its score, one line for each file, and every mutant
// that no test detects, with its explanation if there is one.

import type { Area } from './areas.ts';
import { NOT_IN_SLICE } from './slice.ts';

/** The parts of Stryker's report (mutation-testing-report-schema) that are used. */
export interface MutationReport {
  readonly files: Readonly<Record<string, MutatedFile>>;
}

interface MutatedFile {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly location: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
}

/** Why no test can detect a mutant, or need not. */
export interface Explained {
  /** A file, or '*' for all. */
  readonly file: string;
  /** The source line where the mutant begins, without spaces around it; or /a pattern/. */
  readonly line: string;
  /** The mutated text, or '*' for any. */
  readonly replacement: string;
  readonly reason: string;
}

interface Survivor {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly original: string;
  readonly mutant: Mutant;
  readonly reason: string | null;
}

interface Score {
  readonly name: string;
  detected: number;
  survived: number;
  uncovered: number;
  explained: number;
  /** Not in the slices that were tested. */
  untested: number;
}

export interface Verdict {
  readonly isMet: boolean;
  /** The score, and explanations that are no longer needed. */
  readonly lines: readonly string[];
  readonly files: readonly Score[];
  readonly survivors: readonly Survivor[];
}

const DETECTED = ['Killed', 'Timeout'];
const UNDETECTED = ['Survived', 'NoCoverage'];

function isUntested({ statusReason = '' }: Mutant): boolean {
  return statusReason.includes(NOT_IN_SLICE);
}

/** A report without the mutants that were not tested. */
export function withoutUntested(report: MutationReport): MutationReport {
  const files = Object.entries(report.files).map(([name, file]) => {
    const mutants = file.mutants.filter((mutant) => !isUntested(mutant));
    return [name, { ...file, mutants }] as const;
  });
  return { ...report, files: Object.fromEntries(files) };
}

export function judge(
  { name: folder, threshold }: Pick<Area, 'name' | 'threshold'>,
  report: MutationReport,
  explained: readonly Explained[],
): Verdict {
  const survivors: Survivor[] = [];
  const used = new Set<Explained>();
  const files = Object.entries(report.files)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([file, { source, mutants }]) => {
      const lines = source.split('\n');
      const score = none(file);
      for (const mutant of mutants) {
        if (isUntested(mutant)) score.untested += 1;
        if (DETECTED.includes(mutant.status)) score.detected += 1;
        if (!UNDETECTED.includes(mutant.status)) continue;
        const { start } = mutant.location;
        const text = lines[start.line - 1]?.trim() ?? '';
        const why = explained.find(
          (one) =>
            (one.file === '*' || one.file === file) &&
            isLine(one.line, text) &&
            (one.replacement === '*' || one.replacement === mutant.replacement),
        );
        if (why !== undefined) used.add(why);
        const original = textOf(lines, mutant);
        const reason = why?.reason ?? null;
        survivors.push({ file, line: start.line, text, original, mutant, reason });
        if (reason !== null) score.explained += 1;
        if (mutant.status === 'Survived') score.survived += 1;
        else score.uncovered += 1;
      }
      return score;
    });
  const complete = files.filter(({ untested }) => untested === 0).map(({ name }) => name);
  const stale = explained.filter((one) => complete.includes(one.file) && !used.has(one));
  const result = resultOf(`src/${folder}/`, threshold, files);
  const lines = [result.line];
  for (const { file, line } of stale)
    lines.push(`explained but detected, remove the explanation: ${file}: ${line}`);
  return { isMet: result.isMet && stale.length === 0, lines, files, survivors };
}

function isLine(given: string, text: string): boolean {
  const pattern = /^\/(.+)\/$/.exec(given)?.[1];
  return pattern === undefined ? given === text : new RegExp(pattern).test(text);
}

function resultOf(
  folder: string,
  threshold: number,
  files: readonly Score[],
): { readonly isMet: boolean; readonly line: string } {
  const sum = none(folder);
  for (const score of files.filter(({ name }) => name.startsWith(folder))) {
    sum.detected += score.detected;
    sum.survived += score.survived;
    sum.uncovered += score.uncovered;
    sum.explained += score.explained;
    sum.untested += score.untested;
  }
  if (total(sum) === 0) return { isMet: true, line: `${folder}: not mutated` };
  const isMet = percent(sum) >= threshold;
  const word = isMet ? 'met' : 'MISSED';
  const sample = `${sum.detected} of a sample of ${sum.detected + sum.survived} mutants`;
  const counted =
    sum.untested === 0
      ? `${sum.detected} of ${total(sum)} mutants`
      : `estimate: ${sample}, ${sum.uncovered} of all ${total(sum)} not run`;
  const rest = `${sum.explained} of the others explained`;
  return {
    isMet,
    line: `${folder}: ${shown(sum)} (${counted}; ${rest}); threshold ${threshold} %: ${word}`,
  };
}

/** The text of an area's file in summaries/. */
export function summaryText(
  { name: folder }: Pick<Area, 'name'>,
  { lines, files, survivors }: Verdict,
): string {
  const rows = files.map((score) => {
    const { name, detected, survived, uncovered, explained, untested } = score;
    const cells = [name, shown(score), detected, survived, uncovered, explained, untested];
    return `| ${cells.join(' | ')} |`;
  });
  // Of code that no test runs, the table has the number of mutants.
  const list = (batch: readonly Survivor[]): string =>
    batch
      .filter(({ mutant }) => mutant.status !== 'NoCoverage')
      .map(survivorText)
      .join('\n') || 'None.';
  return [
    `# Mutation testing of src/${folder}`,
    '',
    'Written by `npm run mutate`. A mutant is detected when a test fails or does not end with it.',
    '',
    ...lines.map((line) => `- ${line}`),
    '',
    '| file | score | detected | survived | not run | explained | not tested |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    '## Mutants that tests run and none detects',
    '',
    list(survivors.filter(({ reason }) => reason === null)),
    '',
    '## Explained',
    '',
    list(survivors.filter(({ reason }) => reason !== null)),
    '',
  ].join('\n');
}

/** The results at the beginning of an area's file. */
export function resultLines(text: string): readonly string[] {
  return (/^- .*(?:\n- .*)*/m.exec(text)?.[0] ?? '').split('\n').filter((line) => line !== '');
}

/** The text of summary.md: the results of all areas. */
export function indexText(
  areas: readonly (readonly [area: Pick<Area, 'name'>, lines: readonly string[]])[],
): string {
  const lines = areas.flatMap(([{ name }, results]) =>
    results.length === 0
      ? [`- src/${name}/: not mutated yet`]
      : results.map((line) => `${line}; [survivors](summaries/${name}.md)`),
  );
  return [
    '# Mutation testing',
    '',
    'Written by `npm run mutate`. A mutant is detected when a test fails or does not end with it.',
    'Where only slices were tested, the score is an estimate: the rate of detection in the sample,',
    'for the mutants that tests run; those that no test runs are all counted.',
    '',
    ...lines,
    '',
  ].join('\n');
}

function survivorText({ file, line, text, original, mutant, reason }: Survivor): string {
  const said = `- ${file}:${line} ${mutant.mutatorName}`;
  const change = `\`${oneLine(original)}\` -> \`${oneLine(mutant.replacement ?? '')}\``;
  return `${said}: ${change} in \`${text}\`${reason === null ? '' : `: ${reason}`}`;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 70 ? `${line.slice(0, 70)}...` : line;
}

function textOf(lines: readonly string[], { location: { start, end } }: Mutant): string {
  const rows = lines.slice(start.line - 1, end.line);
  const last = rows.length - 1;
  return rows
    .map((row, index) => (index === last ? row.slice(0, end.column - 1) : row))
    .map((row, index) => (index === 0 ? row.slice(start.column - 1) : row))
    .join('\n');
}

function none(name: string): Score {
  return { name, detected: 0, survived: 0, uncovered: 0, explained: 0, untested: 0 };
}

function total({ detected, survived, uncovered, untested }: Score): number {
  return detected + survived + uncovered + untested;
}

function percent(score: Score): number {
  const tested = score.detected + score.survived;
  if (tested === 0) return total(score) === 0 ? 100 : 0;
  // What was not tested counts like what was.
  const run = total(score) - score.uncovered;
  return (100 * run * score.detected) / (tested * total(score));
}

function shown(score: Score): string {
  return `${percent(score).toFixed(1)} %`;
}
