// Runs `vibing load`: shows progress, writes reports, handles Ctrl-C.

import { readFileSync, writeFileSync } from 'node:fs';
import { safeJson } from '../base/log-text.ts';
import { compareText, reportFrom } from '../load/compare.ts';
import { errorStatusCount, type LoadReport } from '../load/report.ts';
import { reportCsv } from '../load/report-csv.ts';
import { reportHtml } from '../load/report-html.ts';
import { reportText } from '../load/report-text.ts';
import { LoadProblem, startLoad } from '../load/run-load.ts';
import { faultText, problemLine } from './fault-text.ts';
import { loadHelp } from './help.ts';
import { flagProblem, type LoadFlags, parseLoadFlags } from './load-flags.ts';
import { type Output, outputProblems, STANDARD_OUTPUT, writeProblem } from './output-files.ts';
import { ProgressLine } from './progress-line.ts';
import { FAILED, INTERRUPTED, OK, type Terminal, USAGE_ERROR } from './terminal.ts';

/** Resolves with the exit code. */
export async function load(args: readonly string[], environment: Terminal): Promise<number> {
  const flags = parseLoadFlags(args, readBytes);
  if (flags.help) {
    environment.out(loadHelp());
    return OK;
  }
  if (flags.problems.length > 0) return usageError(environment, flags.problems);
  if (flags.compare !== null) return compare(flags.compare, environment);
  const problems = outputProblems(flags.outputs);
  if (problems.length > 0) return usageError(environment, problems);
  try {
    return await run(flags, environment);
  } catch (error) {
    if (!(error instanceof LoadProblem)) throw error;
    if (error.isUsageError) return usageError(environment, error.problems.map(flagProblem));
    for (const problem of error.problems) environment.err(problemLine(problem));
    return FAILED;
  }
}

async function run(flags: LoadFlags, environment: Terminal): Promise<number> {
  const line = new ProgressLine(environment);
  const hooks = flags.progress ? { progress: line.show.bind(line) } : {};
  const running = startLoad(flags.options, hooks);
  let isInterrupted = false;
  environment.onInterrupt(() => {
    // A look-up of a host name cannot be stopped: a second signal exits.
    if (isInterrupted) environment.exit(INTERRUPTED);
    isInterrupted = true;
    running.stop();
  });
  let report: LoadReport;
  try {
    report = await running.report;
  } finally {
    line.clear();
  }
  const isPrinted = flags.outputs.some(({ path }) => path === STANDARD_OUTPUT);
  if (!isPrinted) environment.out(reportText(report));
  const written = flags.outputs.map((output) => write(output, report, environment));
  if (written.includes(false)) {
    // The results are not lost when a file cannot be written.
    if (isPrinted) environment.err(reportText(report));
    return FAILED;
  }
  if (report.interrupted) return INTERRUPTED;
  // A load of nothing but error responses did not measure what it was meant to.
  const hasResponse = report.responses > errorStatusCount(report);
  return report.errorCount > 0 || !hasResponse ? FAILED : OK;
}

const FORMS: Readonly<Record<string, (report: LoadReport) => string>> = {
  '--json': (report) => `${safeJson(report, 2)}\n`,
  '--csv': reportCsv,
  '--html': reportHtml,
};

function write(output: Output, report: LoadReport, environment: Terminal): boolean {
  const text = FORMS[output.flag](report);
  if (output.path === STANDARD_OUTPUT) {
    environment.out(text);
    return true;
  }
  try {
    writeFileSync(output.path, text);
    return true;
  } catch (error) {
    environment.err(problemLine(writeProblem(output, error)));
    return false;
  }
}

function compare(paths: readonly [string, string], environment: Terminal): number {
  const problems: string[] = [];
  const reports = paths.map((path) => {
    const bytes = readBytes(path);
    const report = typeof bytes === 'string' ? bytes : reportFrom(new TextDecoder().decode(bytes));
    if (typeof report === 'string') problems.push(`${JSON.stringify(path)}: ${report}`);
    return report;
  });
  const [before, after] = reports;
  if (before === undefined || after === undefined) return USAGE_ERROR;
  if (typeof before === 'string' || typeof after === 'string')
    return usageError(environment, problems);
  environment.out(compareText(before, after, paths));
  return OK;
}

function usageError(environment: Terminal, problems: readonly string[]): number {
  for (const problem of problems) environment.err(problemLine(problem));
  return USAGE_ERROR;
}

function readBytes(path: string): Uint8Array | string {
  try {
    return readFileSync(path);
  } catch (error) {
    return faultText(error);
  }
}
