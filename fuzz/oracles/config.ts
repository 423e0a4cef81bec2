// Properties of a configuration file, for any text: it is valid or every problem is one line, as is
// every warning; it is JSON when JSON.parse accepts it; a valid one survives a round trip.

import { configFrom, fileOf, loadConfig, optionsOf } from '../../src/server/config/config.ts';
import { readJson } from '../../src/server/config/json.ts';
import { KEYS } from '../../src/server/config/keys.ts';
import { check, same } from './check.ts';

export const CONFIG_BYTES_MAX = 800;

export const CONFIG_WORDS: readonly string[] = KEYS.flatMap(({ key, rule }) => [
  `"${key}": `,
  ...(rule.kind === 'choice' ? rule.values.map((value) => `"${value}"`) : []),
]);

export function checkConfig(input: Uint8Array, thorough: boolean): void {
  const text = Buffer.from(input).toString('utf8');
  const name = 'vibing.json';
  const { config, problems, warnings } = loadConfig({ file: { name, text }, env: {}, flags: [] });
  same(config === undefined, problems.length > 0, 'whether there are problems');
  for (const line of [...problems, ...warnings]) checkLine(line, name);
  if (config !== undefined) {
    const file = JSON.stringify(fileOf(config));
    const reloaded = loadConfig({ file: { name, text: file }, env: {}, flags: [] });
    same(reloaded.problems.join(), '', 'problems after a round trip');
    same(
      JSON.stringify(reloaded.config),
      JSON.stringify(config),
      'the configuration after a round trip',
    );
    const options = JSON.stringify(configFrom(optionsOf(config)));
    same(options, JSON.stringify(config), 'the configuration as options');
  }
  if (thorough) asJson(text);
}

function checkLine(line: string, name: string): void {
  check(line.startsWith(`${name}: `), 'a line names the file');
  check(/^[^\p{Cc}\u2028\u2029]+$/u.test(line), 'a problem or warning is one line of text');
  check(line.length < 2_000, 'a line is short');
}

function asJson(text: string): void {
  const json = readJson(text);
  let parsed: { readonly value: unknown } | null;
  try {
    parsed = { value: JSON.parse(text.replace(/^\ufeff/, '')) };
  } catch {
    parsed = null;
  }
  if (json.ok) {
    same(JSON.stringify(json.value), JSON.stringify(parsed?.value), 'the value');
    return;
  }
  check(parsed === null || json.fault.includes('levels'), 'text that JSON.parse accepts is JSON');
  check(json.line >= 1 && json.column >= 1, 'a fault has a position');
}
