// Makes the documents of the configuration keys from the table of keys: the JSON Schema and the
// table of docs/configuration.md.

import { unreachable } from '../../../src/base/assert.ts';
import { type ConfigKey, KEYS } from '../../../src/server/config/keys.ts';
import { allowedBy, jsonFrom, type Rule, type Value } from '../../../src/server/config/rules.ts';

/** The part of JSON Schema that is used here. */
export interface Schema {
  readonly type?: 'object' | 'string' | 'integer' | 'boolean';
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly description?: string;
  readonly default?: Value;
}

export function schemaText(): string {
  const properties: Record<string, Schema> = { $schema: { type: 'string' } };
  for (const key of KEYS) properties[key.key] = schemaOf(key);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration file of vibing',
    type: 'object',
    properties,
    additionalProperties: false,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The table of docs/configuration.md. */
export function keyTable(): string {
  const rows = KEYS.map(keyRow);
  return ['| key | default | allowed | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

export function schemaOf({ rule, what, default: value }: ConfigKey): Schema {
  const standard = value === undefined ? {} : { default: jsonFrom(rule, value) };
  return { description: what, ...ruleSchema(rule), ...standard };
}

function keyRow({ key, rule, what, default: value }: ConfigKey): string {
  const standard = value === undefined ? 'none' : `\`${JSON.stringify(jsonFrom(rule, value))}\``;
  const allowed = allowedBy(rule, 'json').replace(/"[^"]+"/g, '`$&`');
  return `| \`${key}\` | ${standard} | ${allowed} | ${what} |`;
}

function ruleSchema(rule: Rule): Schema {
  switch (rule.kind) {
    case 'integer':
      return { type: 'integer', minimum: rule.min, maximum: rule.max };
    case 'choice':
      return { enum: rule.values };
    case 'boolean':
      return { type: 'boolean' };
    case 'host':
    case 'path':
      return { type: 'string', minLength: 1 };
    case 'workers':
      return { anyOf: [{ type: 'integer', minimum: 1, maximum: rule.max }, { const: 'auto' }] };
    case 'mode':
      return { type: 'string', pattern: '^0?[0-7]{3}$' };
    default:
      return unreachable(rule);
  }
}
