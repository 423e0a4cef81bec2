// The public names of `vibing/load`, and nothing else.

export { type Change, compareReports, compareText } from './compare.ts';
export type { LoadOptions } from './options.ts';
export type { LoadReport } from './report.ts';
export { reportCsv } from './report-csv.ts';
export { reportHtml } from './report-html.ts';
export { reportText } from './report-text.ts';
export {
  type LoadHooks,
  LoadProblem,
  type Progress,
  type RunningLoad,
  runLoad,
  startLoad,
} from './run-load.ts';
export type { RateStep } from './schedule.ts';
