// The server that is measured, for tools that write their files when it ends: it delays its exit
// until the files are complete.
//
//   node build/perf/servers/lingering.js [options of vibing.js]

const LINGER_MS = 3_000;

const exit = process.exit.bind(process);
let code: number | string | null | undefined;
let isEnding = false;

process.exit = ((given?: number | string | null) => {
  code = given;
  if (isEnding) return;
  isEnding = true;
  setTimeout(() => exit(code), LINGER_MS);
}) as typeof process.exit;

await import('./vibing.ts');
