// Which test files share a process in a full run. To start a process, load the server into it and
// write its coverage takes longer than most test files need for their tests.

/** Folders whose tests are mostly functions of bytes, objects and virtual time. */
const FOLDERS: readonly string[] = [
  'base',
  'cases',
  'connection',
  'exchange',
  'fetch',
  'http',
  'load',
  'middleware',
  'model',
  'reactor',
  'route',
  'server',
  'static',
];

/**
 * What a test file must not contain to share its process: changes of the process that other tests
 * would see, hooks that would run for their tests, and what counts descriptors or processes.
 */
const NEEDS_OWN: readonly RegExp[] = [
  /process\.(?!version|versions|platform|hrtime|cwd|nextTick|stdout|memoryUsage)\w+/,
  /\bmock\b|globalThis|stackTraceLimit|uncaughtException|unhandledRejection/,
  /\bgc\(|setFlagsFromString|leaveOutOfCoverage|node:(?:child_process|cluster|worker_threads)/,
  /^(?:before|beforeEach|afterEach)\(/m,
  /(?:with-server|child-program|program|workers|service-process)\.ts'/,
];

/** Enough that a start is a small part of the time, few enough that processes end together. */
const FILES_MAX = 12;

/**
 * Groups of compiled test files, each for one process, in the order of the files; a file that needs
 * a process of its own is in none. `sourceOf` reads the TypeScript source of one.
 */
export function sharedProcesses(
  files: readonly string[],
  sourceOf: (file: string) => string,
): readonly (readonly string[])[] {
  const groups: string[][] = [];
  for (const file of files) {
    if (!mayShare(file, sourceOf(file))) continue;
    const last = groups.at(-1);
    if (last !== undefined && last.length < FILES_MAX) last.push(file);
    else groups.push([file]);
  }
  return groups;
}

/** `file` is a path as build/spec/http/head.test.js. */
export function mayShare(file: string, source: string): boolean {
  const folder = file.split('/')[2];
  return FOLDERS.includes(folder) && !NEEDS_OWN.some((pattern) => pattern.test(source));
}
