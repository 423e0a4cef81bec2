// Pages of Clinic.js about the server at full load. Its fourth tool, bubbleprof, is left out: it
// does not end on Node 20.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER_CORE } from '../catalog/setup.ts';
import { runScenario } from '../load/run-scenario.ts';
import { perfScript, type ServerChild, startCommand } from '../measure/child-process.ts';
import { describeMachine } from '../measure/machine.ts';
import { installed } from '../measure/packages.ts';
import { profileFolder } from '../measure/reports-folder.ts';
import { childrenOf } from '../system/process-figures.ts';

export const TOOLS: readonly string[] = ['doctor', 'flame', 'heapprofiler'];
const ANALYSIS_MS_MAX = 180_000;
/** For one tool, without the load. */
export const TOOL_SECONDS_MAX: number = ANALYSIS_MS_MAX / 1000 + 60;
/** No question about telemetry, no search for a newer version. */
const QUIET = ['NO_INSIGHT=1', 'NO_UPDATE_NOTIFIER=1', 'CI=1'];
const SERVER = 'servers/lingering.ts';

export interface ClinicOptions {
  readonly tools: readonly string[];
  readonly scenarios: readonly string[];
  readonly drivers: readonly string[];
  readonly seconds: number;
}

/** Prints the path of each page. */
export async function makePages(options: ClinicOptions): Promise<void> {
  const clinic = join(await installed('clinic'), 'node_modules', 'clinic', 'bin.js');
  const { commit } = describeMachine();
  for (const scenario of options.scenarios) {
    for (const driver of options.drivers) {
      const folder = profileFolder('clinic', commit, `${scenario}-${driver}`);
      mkdirSync(folder, { recursive: true });
      for (const tool of options.tools) {
        const command = [clinic, tool, '--open=false', '--dest', folder, '--'];
        const parent = await startUnder(tool, command, driver);
        await runScenario(scenario, parent, options.seconds);
        console.log(await pageOf(tool, parent, folder));
      }
    }
  }
}

function startUnder(tool: string, clinic: readonly string[], driver: string): Promise<ServerChild> {
  const node = [process.execPath, perfScript(SERVER), '--driver', driver];
  const command = ['env', ...QUIET, process.execPath, ...clinic, ...node];
  return startCommand(`clinic ${tool}`, command, { core: SERVER_CORE });
}

/** Ends the server, not the tool that runs it, and waits until the tool has written its page. */
async function pageOf(tool: string, parent: ServerChild, folder: string): Promise<string> {
  const server = descendantsOf(parent.pid).find(isServer);
  if (server === undefined) throw new Error(`clinic ${tool} runs no server`);
  // Clinic.js takes SIGINT for the end of a run.
  process.kill(server, 'SIGINT');
  const timer = setTimeout(() => parent.signal('SIGKILL'), ANALYSIS_MS_MAX);
  const end = await parent.ended;
  clearTimeout(timer);
  if (end !== 0) throw new Error(`clinic ${tool} ended with ${end}\n${parent.printed()}`);
  const made = readdirSync(folder).filter((name) => name.includes(`.clinic-${tool}`));
  const page = made.find((name) => name.endsWith('.html'));
  if (page === undefined) throw new Error(`clinic ${tool} made no page\n${parent.printed()}`);
  const path = join(folder, `${tool}.html`);
  renameSync(join(folder, page), path);
  // The raw recordings are large, and the page has what matters of them.
  for (const name of made) rmSync(join(folder, name), { recursive: true, force: true });
  return path;
}

function descendantsOf(pid: number): readonly number[] {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap(descendantsOf)];
}

function isServer(pid: number): boolean {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return words.includes(perfScript(SERVER)) && !words.includes('--open=false');
}
