// The fields of a file that follow from its path: Content-Type, Cache-Control, and those that the
// option headers adds.

import { mediaType } from '../exchange/media-type.ts';
import { checkedName } from '../http/response-fields.ts';
import { defaultCacheControl } from './cache-control.ts';
import { type Glob, glob } from './globs.ts';
import type { Settings } from './options.ts';

export interface FileFields {
  readonly type: string;
  /** Name and value; no two have the same name. */
  readonly others: readonly (readonly [name: string, value: string])[];
}

interface Rule<Value> {
  readonly glob: Glob;
  readonly value: Value;
}

const CACHE_CONTROL = 'Cache-Control';

export class FieldRules {
  readonly #types: ReadonlyMap<string, string>;
  readonly #cacheControl: readonly Rule<string | false>[];
  readonly #headers: readonly Rule<Readonly<Record<string, string>>>[];

  constructor({ mimeTypes, cacheControl, headers }: Settings) {
    this.#types = new Map(
      Object.entries(mimeTypes).map(([extension, type]) => [extension.toLowerCase(), type]),
    );
    const values = typeof cacheControl === 'object' ? cacheControl : { '**': cacheControl };
    this.#cacheControl = rulesFrom(values);
    this.#headers = rulesFrom(headers);
  }

  /** The fields of the file with these names below the root. */
  of(names: readonly string[]): FileFields {
    const path = names.join('/');
    const fields = new Map<string, readonly [string, string]>();
    const set = (name: string, value: string) => fields.set(checkedName(name), [name, value]);
    const cacheControl = this.#cacheControlOf(path);
    if (cacheControl !== null) set(CACHE_CONTROL, cacheControl);
    for (const rule of this.#headers) {
      if (!rule.glob.matches(path)) continue;
      for (const [name, value] of Object.entries(rule.value)) set(name, value);
    }
    const type = fields.get('content-type')?.[1] ?? this.#typeOf(names[names.length - 1]);
    fields.delete('content-type');
    return { type, others: [...fields.values()] };
  }

  #cacheControlOf(path: string): string | null {
    const rule = this.#cacheControl.find((one) => one.glob.matches(path));
    if (rule === undefined) return defaultCacheControl(path);
    return rule.value === false ? null : rule.value;
  }

  /** The longest extension with a type of its own is used: 'tar.gz' before 'gz'. */
  #typeOf(name: string): string {
    if (this.#types.size > 0) {
      const lower = name.toLowerCase();
      for (let dot = lower.indexOf('.'); dot >= 0; dot = lower.indexOf('.', dot + 1)) {
        const type = this.#types.get(lower.slice(dot + 1));
        if (type !== undefined) return type;
      }
    }
    return mediaType(name);
  }
}

function rulesFrom<Value>(values: Readonly<Record<string, Value>>): readonly Rule<Value>[] {
  return Object.entries(values).map(([pattern, value]) => ({ glob: glob(pattern), value }));
}
