// The configuration keys of static files, whose values are those of the options of serveStatic, and
// the rules for them: lists, texts that may be false, and tables.

import { type Problem, ruleWith, tableOf } from '../../base/options.ts';
import { shown } from '../../base/shown.ts';
import { parsePrefix } from '../../route/pattern.ts';
import {
  CACHE_CONTROL_RULE,
  EXTENSIONS_RULE,
  HEADERS_RULE,
  INDEX_RULE,
  MIME_TYPES_RULE,
  NOT_FOUND_RULE,
  SPA_RULE,
  SYMLINKS,
} from '../../static/options.ts';

/** A rule for values of several types. */
export interface ShapedRule {
  readonly kind: 'shaped';
  /**
   * How text becomes a value: a list has commas between its items; a toggle is also true or false;
   * a table is an object in JSON; 'value' is text, false, or a table.
   */
  readonly shape: 'list' | 'toggle' | 'text' | 'table' | 'value';
  readonly fits: (value: unknown) => boolean;
  readonly problem?: Problem;
  /** The allowed values, in JSON and as text. */
  readonly wanted: string;
  readonly wantedText: string;
}

/** The value that a text means; undefined for none. */
export function shapedFrom(shape: ShapedRule['shape'], text: string): unknown {
  const isTable = text.trimStart().startsWith('{');
  switch (shape) {
    case 'list':
      return text.split(',').map((item) => item.trim());
    case 'text':
      return text;
    case 'table':
      return tableFrom(text);
    case 'value':
      if (text === 'false') return false;
      return isTable ? tableFrom(text) : text;
    case 'toggle':
      if (text === 'true' || text === '1') return true;
      return text === 'false' || text === '0' ? false : text;
  }
}

function tableFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const AS_JSON = 'in JSON';

export const INDEX: ShapedRule = {
  ...INDEX_RULE,
  kind: 'shaped',
  shape: 'list',
  wanted: 'the name of a file, or a list of names',
  wantedText: 'names of files, with commas between them',
};

export const SPA: ShapedRule = {
  kind: 'shaped',
  shape: 'toggle',
  fits: SPA_RULE.fits,
  wanted: 'true, false, or the path of a page in the directory',
  wantedText: 'true, false, or the path of a page in the directory',
};

export const NOT_FOUND: ShapedRule = {
  kind: 'shaped',
  shape: 'text',
  fits: NOT_FOUND_RULE.fits,
  wanted: 'the path of a page in the directory',
  wantedText: 'the path of a page in the directory',
};

export const CACHE_CONTROL: ShapedRule = {
  ...CACHE_CONTROL_RULE,
  kind: 'shaped',
  shape: 'value',
  wanted: 'false, the value of the field, or an object of values by pattern of the path',
  wantedText: `false, the value of the field, or values by pattern ${AS_JSON}`,
};

export const HEADERS: ShapedRule = {
  ...HEADERS_RULE,
  kind: 'shaped',
  shape: 'table',
  wanted: 'an object of fields by pattern of the path, such as {"*.pdf": {"X-Name": "value"}}',
  wantedText: `fields by pattern of the path ${AS_JSON}, such as {"*.pdf": {"X-Name": "value"}}`,
};

export const EXTENSIONS: ShapedRule = {
  ...EXTENSIONS_RULE,
  kind: 'shaped',
  shape: 'list',
  wanted: 'a list of file extensions without their dot',
  wantedText: 'file extensions without their dot, with commas between them',
};

export const MIME_TYPES: ShapedRule = {
  ...MIME_TYPES_RULE,
  kind: 'shaped',
  shape: 'table',
  wanted: 'an object of media types by extension, such as {"gmi": "text/gemini"}',
  wantedText: `media types by extension ${AS_JSON}, such as {"gmi": "text/gemini"}`,
};

export const MOUNTS: ShapedRule = {
  ...ruleWith(
    'an object of directories by prefix, such as {"/docs": "./docs"}',
    tableOf(prefix, directory),
  ),
  kind: 'shaped',
  shape: 'table',
  wantedText: `directories by prefix ${AS_JSON}, such as {"/docs": "./docs"}`,
};

export const SYMLINK_CHOICES: readonly string[] = SYMLINKS;

function directory(path: unknown): string | null {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return null;
  return `${shown(path)} is not the path of a directory`;
}

function prefix(value: unknown): string | null {
  const text = String(value);
  if (!text.startsWith('/')) return 'a prefix begins with a slash';
  try {
    return parsePrefix(text).length > 0 ? null : 'the directory of all paths is static_dir';
  } catch {
    return 'it is not a prefix without parameters';
  }
}
