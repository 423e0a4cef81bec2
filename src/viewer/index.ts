// The public names of `vibing/viewer`, and nothing else.

export { FetchProblem } from './source/fetch-snapshot.ts';
export { type MetricsViewer, type MetricsViewerOptions, viewMetrics } from './viewer.ts';
