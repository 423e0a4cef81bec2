// Flame graphs of the server at full load. With perf they have JavaScript, native code and the
// kernel; without it V8 takes the profile, which has JavaScript only.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine } from '../measure/machine.ts';
import { installed } from '../measure/packages.ts';
import { profileFolder } from '../measure/reports-folder.ts';
import { isOnPath } from '../system/prerequisites.ts';
import { profileServer } from './cpu-profile.ts';
import { type Drawing, drawCpuProfile, drawStacks } from './draw.ts';
import { recordServer } from './record.ts';
import { frameNames, parseStacks } from './stacks.ts';

/** Prints the path of each page. */
export async function drawFlames(
  scenarios: readonly string[],
  drivers: readonly string[],
  seconds: number,
): Promise<void> {
  const packageFolder = await installed('flame');
  const hasPerf = isOnPath('perf');
  console.log(
    hasPerf
      ? 'perf takes the stacks: JavaScript, native code and the kernel'
      : 'perf is not installed, so V8 takes the profile: JavaScript only',
  );
  const { commit, ...machine } = describeMachine();
  for (const scenario of scenarios) {
    for (const driver of drivers) {
      const folder = profileFolder('flame', commit, `${scenario}-${driver}`);
      const title = `${scenario} on ${driver}, ${commit}, ${machine['node']}`;
      const drawing = { title, folder, packageFolder };
      const draw = hasPerf ? drawWithPerf : drawWithV8;
      console.log(await draw(scenario, driver, seconds, drawing));
    }
  }
}

async function drawWithPerf(
  scenario: string,
  driver: string,
  seconds: number,
  drawing: Drawing,
): Promise<string> {
  const { text } = await recordServer(driver, scenario, seconds);
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
  const file = join(folder, 'server.cpuprofile');
  writeFileSync(file, JSON.stringify(await profileServer(driver, scenario, seconds)));
  return drawCpuProfile(file, { ...drawing, title: `${drawing.title}, by V8` });
}
