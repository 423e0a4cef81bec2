// Flame graphs of the server at full load: npm run perf:flame. With perf they show JavaScript,
// native code and the kernel; without it V8 takes the profile, and sees JavaScript only.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOnPath, startServer } from '../measure/child-process.ts';
import { describeMachine } from '../measure/machine.ts';
import { installed, reportFolder } from '../measure/packages.ts';
import { type Drawing, drawCpuProfile, drawStacks } from './draw.ts';
import { recordServer } from './record.ts';
import { runScenario, SCENARIO_NAMES, SCENARIOS } from '../load/run-scenario.ts';
import { frameNames, parseStacks } from './stacks.ts';
import { runScript } from '../runner/run-command.ts';
import { SERVER_CORE } from '../catalog/setup.ts';

/** Installing, warming up, drawing. */
const AROUND_SECONDS = 400;
const DRIVERS = ['uring', 'epoll', 'net'];

process.exit(
  await runScript({
    name: 'perf:flame',
    about:
      'Draws flame graphs of the server at full load, one page for each scenario and driver,\n' +
      'into reports/flame/. Where perf is installed they show system calls and the kernel as well.',
    programs: [],
    numbers: { seconds: { default: 10, max: 60, what: 'how long stacks are taken' } },
    lists: {
      drivers: { values: DRIVERS, default: ['epoll'], what: 'drivers of the server' },
      scenarios: { values: SCENARIO_NAMES, default: ['hello'], what: 'what is asked' },
    },
    secondsMax: ({ numbers, lists }) =>
      AROUND_SECONDS * lists.drivers.length * lists.scenarios.length + numbers.seconds * 20,
    measure: async ({ numbers, lists }) => {
      const packageFolder = await installed('flame');
      const hasPerf = isOnPath('perf');
      console.log(
        hasPerf
          ? 'stacks are taken by perf: scripts, native code and the kernel'
          : 'perf is not installed, so V8 takes the profile: no system calls, no kernel',
      );
      const { commit, ...machine } = describeMachine();
      for (const scenario of lists.scenarios) {
        for (const driver of lists.drivers) {
          const folder = reportFolder('flame', commit, `${scenario}-${driver}`);
          const what = `${scenario} on ${driver}, ${commit}, ${machine['node']}`;
          const drawing = { title: what, folder, packageFolder };
          const page = hasPerf
            ? await drawWithPerf(scenario, driver, numbers.seconds, drawing)
            : await drawWithV8(scenario, driver, numbers.seconds, drawing);
          console.log(page);
        }
      }
      return [];
    },
  }),
);

async function drawWithPerf(
  scenario: string,
  driver: string,
  seconds: number,
  drawing: Drawing,
): Promise<string> {
  const { text } = await recordServer(driver, SCENARIOS[scenario], seconds);
  const stacks = parseStacks(text);
  if (stacks.length === 0) throw new Error('perf took no stacks: is cpu-clock allowed here?');
  const title = `${drawing.title}, ${stacks.length} stacks by perf`;
  return drawStacks(stacks.map(frameNames), { ...drawing, title });
}

async function drawWithV8(
  scenario: string,
  driver: string,
  seconds: number,
  drawing: Drawing,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-flame-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const server = await startServer('servers/vibing.ts', {
    args: ['--driver', driver],
    nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${folder}`],
    core: SERVER_CORE,
  });
  await runScenario(SCENARIOS[scenario], server.port, seconds);
  // V8 writes the profile when the process ends.
  await server.stop();
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('V8 wrote no profile');
  return drawCpuProfile(join(folder, file), { ...drawing, title: `${drawing.title}, by V8` });
}
