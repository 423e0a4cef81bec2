// What the viewer sends to its pages.

import type { Absence } from './health.ts';
import type { HistoryRecord, Step } from './history.ts';
import type { ServerFacts } from './snapshot.ts';

/** When a page opens. */
export interface Opening {
  /** The address of the metrics. */
  readonly target: string;
  readonly server: ServerFacts | null;
  readonly history: HistoryRecord;
  readonly absence: Absence | null;
}

/** Once a second. */
export interface Update {
  readonly step: Step | null;
  readonly absence: Absence | null;
}
