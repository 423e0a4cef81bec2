// Pages of Clinic.js about the server at full load: npm run perf:clinic. Its fourth tool,
// bubbleprof, is left out: it does not end on Node 20.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { perfScript, type ServerChild, startCommand } from '../measure/child-process.ts';
import { describeMachine } from '../measure/machine.ts';
import { installed, reportFolder } from '../measure/packages.ts';
import { childrenOf } from '../system/process-figures.ts';
import { runScenario, SCENARIO_NAMES, SCENARIOS } from '../load/run-scenario.ts';
import { runScript } from '../runner/run-command.ts';
import { SERVER_CORE } from '../catalog/setup.ts';

const TOOLS = ['doctor', 'flame', 'heapprofiler'];
const DRIVERS = ['uring', 'epoll', 'net'];
/** Reading what was collected takes it longest. */
const ANALYSIS_MS_MAX = 180_000;
const INSTALL_SECONDS = 300;
/** It would ask whether it may tell its makers, and look for a newer version of itself. */
const QUIET = ['NO_INSIGHT=1', 'NO_UPDATE_NOTIFIER=1', 'CI=1'];

process.exit(
  await runScript({
    name: 'perf:clinic',
    about:
      'Runs the tools of Clinic.js on the server at full load; pages go to reports/clinic/.\n' +
      'It installs them first, when they are not there: 700 packages, 150 MB.',
    programs: [],
    numbers: { seconds: { default: 10, max: 60, what: 'how long the server is loaded' } },
    lists: {
      tools: { values: TOOLS, what: 'tools of Clinic.js' },
      drivers: { values: DRIVERS, default: ['epoll'], what: 'drivers of the server' },
      scenarios: { values: SCENARIO_NAMES, default: ['hello'], what: 'what is asked' },
    },
    secondsMax: ({ numbers, lists }) =>
      INSTALL_SECONDS +
      lists.tools.length *
        lists.drivers.length *
        lists.scenarios.length *
        (numbers.seconds + ANALYSIS_MS_MAX / 1000 + 60),
    measure: async ({ numbers, lists }) => {
      const clinic = join(await installed('clinic'), 'node_modules', 'clinic', 'bin.js');
      const { commit } = describeMachine();
      for (const scenario of lists.scenarios) {
        for (const driver of lists.drivers) {
          const folder = reportFolder('clinic', commit, `${scenario}-${driver}`);
          mkdirSync(folder, { recursive: true });
          for (const tool of lists.tools) {
            const command = [clinic, tool, '--open=false', '--dest', folder, '--'];
            const server = await startUnder(tool, command, driver);
            await runScenario(SCENARIOS[scenario], server.port, numbers.seconds);
            console.log(await pageOf(tool, server, folder));
          }
        }
      }
      return [];
    },
  }),
);

function startUnder(tool: string, clinic: readonly string[], driver: string): Promise<ServerChild> {
  const node = [process.execPath, perfScript('servers/lingering.ts'), '--driver', driver];
  const command = ['env', ...QUIET, process.execPath, ...clinic, ...node];
  return startCommand(`clinic ${tool}`, command, { core: SERVER_CORE });
}

/** Ends the server, not the tool around it, and waits until that has written its page. */
async function pageOf(tool: string, around: ServerChild, folder: string): Promise<string> {
  const server = descendantsOf(around.pid).find(isServer);
  if (server === undefined) throw new Error(`clinic ${tool} runs no server`);
  // What they take for the end of a run.
  process.kill(server, 'SIGINT');
  const timer = setTimeout(() => around.signal('SIGKILL'), ANALYSIS_MS_MAX);
  const end = await around.ended;
  clearTimeout(timer);
  if (end !== 0) throw new Error(`clinic ${tool} ended with ${end}\n${around.printed()}`);
  const made = readdirSync(folder).filter((name) => name.includes(`.clinic-${tool}`));
  const page = made.find((name) => name.endsWith('.html'));
  if (page === undefined) throw new Error(`clinic ${tool} made no page\n${around.printed()}`);
  const path = join(folder, `${tool}.html`);
  renameSync(join(folder, page), path);
  // What it collected is large, and in the page as far as it matters.
  for (const name of made) rmSync(join(folder, name), { recursive: true, force: true });
  return path;
}

function descendantsOf(pid: number): readonly number[] {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap(descendantsOf)];
}

function isServer(pid: number): boolean {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return words.includes(perfScript('servers/lingering.ts')) && !words.includes('--open=false');
}
