// Runs `vibing metrics`: in the terminal, as lines for a pipe, once, or as a page in the browser.

import { readFileSync } from 'node:fs';
import { safeJson } from '../../base/log-text.ts';
import { accessProblem } from '../../viewer/access.ts';
import { columnOf } from '../../viewer/columns.ts';
import type { Step } from '../../viewer/history.ts';
import {
  type AccessOptions,
  FetchProblem,
  SnapshotSource,
} from '../../viewer/source/fetch-snapshot.ts';
import { Watch } from '../../viewer/source/watch.ts';
import { absenceText, lineText, onceText } from '../../viewer/terminal/once.ts';
import { keysIn, TerminalSession } from '../../viewer/terminal/session.ts';
import { viewMetrics } from '../../viewer/viewer.ts';
import { faultCode, faultText, problemLine } from '../fault-text.ts';
import { metricsHelp } from '../help.ts';
import { FAILED, INTERRUPTED, OK, type Terminal, USAGE_ERROR } from '../terminal.ts';
import { type MetricsFlags, parseMetricsFlags } from './flags.ts';
import type { ProcessScreen } from './process-screen.ts';

/** Resolves with the exit code. */
export async function metrics(
  args: readonly string[],
  terminal: Terminal,
  screen: ProcessScreen,
): Promise<number> {
  const flags = parseMetricsFlags(args);
  if (flags.help) {
    terminal.out(metricsHelp());
    return OK;
  }
  const { problems, url } = flags;
  if (url === null || problems.length > 0) {
    for (const problem of problems) terminal.err(problemLine(problem));
    return USAGE_ERROR;
  }
  const access = accessOf(flags);
  const problem = typeof access === 'string' ? access : accessProblem(url, access);
  if (typeof access === 'string' || problem !== null) {
    terminal.err(problemLine(problem ?? ''));
    return USAGE_ERROR;
  }
  try {
    if (flags.web) return await serve(url, access, flags, terminal);
    const source = new SnapshotSource(url, access);
    if (flags.once) return await printOnce(source, flags.json, terminal);
    if (screen.isInteractive) return await show(source, flags, terminal, screen);
    return await printLines(source, flags, terminal, screen);
  } catch (error) {
    if (!(error instanceof FetchProblem)) throw error;
    const isTold = error.message.startsWith(url.href);
    terminal.err(problemLine(isTold ? error.message : `${url.href}: ${error.message}`));
    return FAILED;
  }
}

/** By the flags and the environment: arguments are shown to other users of the machine. */
function accessOf({ caFile, insecure }: MetricsFlags): AccessOptions | string {
  const authorization = process.env['VIBING_METRICS_AUTHORIZATION'];
  const given = { insecure, ...(authorization === undefined ? {} : { authorization }) };
  if (caFile === null) return given;
  try {
    return { ...given, ca: readFileSync(caFile, 'utf8') };
  } catch (error) {
    return `--ca: given ${JSON.stringify(caFile)} (${faultText(error)})`;
  }
}

async function printOnce(
  source: SnapshotSource,
  isJson: boolean,
  terminal: Terminal,
): Promise<number> {
  try {
    const { snapshot, text } = await source.fetch();
    terminal.out(isJson ? jsonText(text) : onceText(snapshot, source.url));
    return OK;
  } finally {
    source.close();
  }
}

/** Parsing takes any depth, but writing does not. */
function jsonText(text: string): string {
  try {
    return `${safeJson(JSON.parse(text), 2)}\n`;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FetchProblem('the snapshot is nested too deeply to print it as JSON');
  }
}

async function serve(
  url: URL,
  access: AccessOptions,
  { port }: MetricsFlags,
  terminal: Terminal,
): Promise<number> {
  const interrupted = interruption(terminal);
  try {
    const opening = viewMetrics({ ...access, url: url.href, port });
    const viewer = await Promise.race([opening, interrupted]);
    if (viewer === undefined) {
      // It ends with the process, or is closed as soon as it is open.
      opening.then(({ close }) => close()).catch(() => {});
      return OK;
    }
    terminal.out(`open ${viewer.url} in a browser: metrics of ${url.href}; Ctrl-C stops\n`);
    await interrupted;
    await viewer.close();
    return OK;
  } catch (error) {
    if (error instanceof FetchProblem || faultCode(error) === undefined) throw error;
    // It says what to do.
    terminal.err(problemLine((error as Error).message));
    return FAILED;
  }
}

/** Resolves at the first signal; the second ends the process. */
function interruption(terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    terminal.onInterrupt(() => {
      signals += 1;
      if (signals === 1) resolve();
      else terminal.exit(INTERRUPTED);
    });
  });
}

async function printLines(
  source: SnapshotSource,
  flags: MetricsFlags,
  terminal: Terminal,
  screen: ProcessScreen,
): Promise<number> {
  const ended = Promise.race([
    interruption(terminal).then(() => INTERRUPTED),
    // As in `vibing metrics 8080 | head -3`.
    new Promise<number>((resolve) => screen.onUnread(() => resolve(OK))),
  ]);
  const options = { intervalMs: flags.intervalMs, keepsHistory: false };
  const watch = new Watch(source, options, {
    changed(step: Step | null) {
      const { absence } = watch;
      if (absence !== null) terminal.out(`${absenceText(watch.now, absence)}\n`);
      else if (step !== null) terminal.out(`${lineText(columnOf([step.point]))}\n`);
    },
  });
  try {
    return (await Promise.race([watch.start(), ended])) ?? (await ended);
  } finally {
    watch.stop();
  }
}

async function show(
  source: SnapshotSource,
  flags: MetricsFlags,
  terminal: Terminal,
  screen: ProcessScreen,
): Promise<number> {
  const session = new TerminalSession(source.url);
  const { intervalMs } = flags;
  const watch = new Watch(source, { intervalMs }, { changed: draw });
  function draw(): void {
    const { absence, history, server } = watch;
    screen.draw(session.render(history, server, absence, screen.size, screen.hasColor));
  }
  const interrupted = interruption(terminal);
  // The screen is entered when it is known that there is something to show.
  const code = await Promise.race([watch.start(), interrupted.then(() => INTERRUPTED)]);
  if (code !== undefined) {
    watch.stop();
    return code;
  }
  return new Promise((resolve) => {
    function end(code: number): void {
      watch.stop();
      screen.close();
      resolve(code);
    }
    void interrupted.then(() => end(INTERRUPTED));
    screen.open({
      typed(text) {
        for (const key of keysIn(text)) {
          const effect = session.pressed(key, watch.history);
          if (effect === 'quit') return end(OK);
          if (effect === 'interrupt') return end(INTERRUPTED);
          if (effect === 'suspend') screen.suspend();
          else if (effect === 'draw') draw();
        }
      },
      changed: draw,
    });
    draw();
  });
}
