// Limits of the viewers of metrics, each with its reason.

/** The longest time that a viewer shows: the history is kept for it. */
export const HISTORY_SECONDS_MAX = 900;

/** Points of the history: one a second, and some for snapshots that come early. */
export const HISTORY_POINTS_MAX = 1_000;

/**
 * Routes are summed over slices of this length, so that a table of a minute covers between 60 and
 * 75 seconds. Older slices are joined to minutes: the history of 1,000 busy routes is 30 MB.
 */
export const SLICE_SECONDS = 15;
export const FINE_SLICES = 5;
export const JOINED_SLICES = 4;

/** Routes of one slice, with their methods. Further ones are summed in one row. */
export const SLICE_ROUTES_MAX = 2_000;

/** Series of one snapshot; further ones are ignored. 1,000 routes have some 25,000. */
export const SERIES_MAX = 100_000;

/** Buckets of one series: a log-linear histogram of 3 % has fewer for 50 us to 100 s. */
export const BUCKETS_MAX = 4_096;

/**
 * Characters of a label that are kept, and of the names in the facts of a server: routes of a real
 * server are shorter.
 */
export const LABEL_CHARACTERS_MAX = 256;

/**
 * What one point of the history keeps at most, so that no server can fill the memory. Workers:
 * those of a large machine; further ones are in the sums only.
 */
export const POINT_WORKERS_MAX = 256;

/** Reasons, or kinds, that one point distinguishes; the others are summed as TALLY_OTHER. */
export const TALLIES_MAX = 32;
export const TALLY_OTHER = '(other)';

/** Buckets of one merged histogram; where there are more, neighbors are joined. */
export const POINT_BUCKETS_MAX = 512;

/** Buckets of all routes of one slice: 1,000 routes with 40 each have a third of it. */
export const SLICE_BUCKETS_MAX = 131_072;

/** Bytes of one snapshot: 25,000 series with 40 buckets each. */
export const SNAPSHOT_BYTES_MAX: number = 32 * 1024 * 1024;

/** The time for one snapshot, in milliseconds: longer than any pause of a healthy server. */
export const FETCH_MS_MAX = 5_000;

/**
 * Least and greatest latency of a chart, in seconds: what is shorter or longer is at its edge. A
 * logarithmic axis has a line for each power of ten.
 */
export const CHART_SECONDS_MIN = 1e-9;
export const CHART_SECONDS_MAX = 1e6;

/** The greatest value of a linear axis. */
export const CHART_VALUE_MAX = 1e15;

/** Numbers of a snapshot: so that no sum of them is infinite. */
export const NUMBER_MAX = 1e300;

/** Times of snapshots, in seconds since the epoch: up to the year 9999. */
export const TIME_SECONDS_MAX = 253_402_300_799;

/** Pages that may be open at a time on one viewer. */
export const PAGES_MAX = 16;

/**
 * Bytes that may wait for a page before it gets an update: some seconds of 1,000 busy routes. The
 * stream of a page that reads too slowly ends, and it connects again.
 */
export const PAGE_QUEUE_BYTES_MAX: number = 8 * 1024 * 1024;

/** Rows of the table of routes in the page. */
export const TABLE_ROWS_MAX = 200;
