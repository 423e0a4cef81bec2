// The summary of mutation testing: one line for each file, the thresholds, and every mutant that no
// test detects, with its explanation if there is one.

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
}

export interface Verdict {
  readonly isMet: boolean;
  /** One line for each threshold. */
  readonly lines: readonly string[];
  readonly files: readonly Score[];
  readonly survivors: readonly Survivor[];
}

/** The minimum percentage of a folder's mutants that tests must detect. */
export const THRESHOLDS: Readonly<Record<string, number>> = {
  'src/http/': 90,
  'src/connection/': 75,
};

const DETECTED = ['Killed', 'Timeout'];
const UNDETECTED = ['Survived', 'NoCoverage'];

export function judge(report: MutationReport, explained: readonly Explained[]): Verdict {
  const survivors: Survivor[] = [];
  const used = new Set<Explained>();
  const files = Object.entries(report.files)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([file, { source, mutants }]) => {
      const lines = source.split('\n');
      const score = none(file);
      for (const mutant of mutants) {
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
  const seen = files.map(({ name }) => name);
  const stale = explained.filter((one) => seen.includes(one.file) && !used.has(one));
  const thresholds = Object.entries(THRESHOLDS).map(([folder, threshold]) =>
    thresholdOf(folder, threshold, files),
  );
  const lines = thresholds.map(({ line }) => line);
  for (const { file, line } of stale)
    lines.push(`explained but detected, remove the explanation: ${file}: ${line}`);
  const isMet = thresholds.every((threshold) => threshold.isMet) && stale.length === 0;
  return { isMet, lines, files, survivors };
}

function isLine(given: string, text: string): boolean {
  const pattern = /^\/(.+)\/$/.exec(given)?.[1];
  return pattern === undefined ? given === text : new RegExp(pattern).test(text);
}

function thresholdOf(
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
  }
  if (total(sum) === 0) return { isMet: true, line: `${folder}: not mutated` };
  const isMet = percent(sum) >= threshold;
  const word = isMet ? 'met' : 'MISSED';
  const counted = `${sum.detected} of ${total(sum)} mutants`;
  const rest = `${sum.explained} of the others explained`;
  return {
    isMet,
    line: `${folder}: ${shown(sum)} (${counted}; ${rest}); threshold ${threshold} %: ${word}`,
  };
}

/** The text of summary.md. */
export function summaryText({ lines, files, survivors }: Verdict): string {
  const rows = files.map((score) => {
    const { name, detected, survived, uncovered, explained } = score;
    const cells = [name, shown(score), detected, survived, uncovered, explained];
    return `| ${cells.join(' | ')} |`;
  });
  const list = (batch: readonly Survivor[]): string =>
    batch.map(survivorText).join('\n') || 'None.';
  return [
    '# Mutation testing',
    '',
    'Written by `npm run mutate`. A mutant is detected when a test fails or does not end with it.',
    '',
    ...lines.map((line) => `- ${line}`),
    '',
    '| file | score | detected | survived | not run | explained |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    '## Mutants that no test detects',
    '',
    list(survivors.filter(({ reason }) => reason === null)),
    '',
    '## Explained',
    '',
    list(survivors.filter(({ reason }) => reason !== null)),
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
  return { name, detected: 0, survived: 0, uncovered: 0, explained: 0 };
}

function total({ detected, survived, uncovered }: Score): number {
  return detected + survived + uncovered;
}

function percent(score: Score): number {
  return total(score) === 0 ? 100 : (100 * score.detected) / total(score);
}

function shown(score: Score): string {
  return `${percent(score).toFixed(1)} %`;
}
