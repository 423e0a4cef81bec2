// The options of serveStatic: what is allowed, and the settings that follow from them.

import {
  BOOLEAN,
  checkOptions,
  choice,
  listOf,
  type OptionRule,
  type Problem,
  ruleWith,
  tableOf,
  wholeNumber,
} from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { checkFraming } from '../exchange/framing-fields.ts';
import { checkedName, checkValue } from '../http/response-fields.ts';
import { isGlob } from './globs.ts';
import { isFileName, isHidden } from './names.ts';

/** Whether symbolic links are followed: to targets inside the root, never, or anywhere. */
export const SYMLINKS = ['inside', 'none', 'all'] as const;
export type Symlinks = (typeof SYMLINKS)[number];

/**
 * Values by patterns of paths, as '*.css', 'assets/**', '/index.html'; see docs/static-files.md.
 */
export type ByPattern<Value> = Readonly<Record<string, Value>>;

/** Options of serveStatic(). docs/static-files.md explains them. */
export interface StaticOptions {
  /** Respond to a directory without an index file with a page that lists it. Default false. */
  readonly listing?: boolean | undefined;
  /** Files that are sent for a directory; the first that exists. Default 'index.html'. */
  readonly index?: string | readonly string[] | undefined;
  /** Also serve names that begin with a dot; .well-known is always served. Default false. */
  readonly dotfiles?: boolean | undefined;
  /** Send a file's `.br`, `.zst` or `.gz` to clients that accept that coding. Default false. */
  readonly precompressed?: boolean | undefined;
  /**
   * Send a page, 'index.html' with true, for paths without a file and a route, to clients that
   * accept HTML, unless the path ends in a file extension. Default false.
   */
  readonly spa?: boolean | string | undefined;
  /**
   * Cache-Control: false for none, a value for all files, or values by pattern, of which the first
   * that matches is used, false for none. Default: by the name, see docs/static-files.md.
   */
  readonly cacheControl?: false | string | ByPattern<string | false> | undefined;
  /** Further fields of the files that match a pattern. */
  readonly headers?: ByPattern<Readonly<Record<string, string>>> | undefined;
  /** Extensions that a path may omit, as ['html']: /about is the file about.html. Default none. */
  readonly extensions?: readonly string[] | undefined;
  /** The page for paths without a file and a route, with status 404. Default: plain text. */
  readonly notFound?: string | undefined;
  /** Follow symbolic links 'inside' the root (the default), in 'none' or in 'all' cases. */
  readonly symlinks?: Symlinks | undefined;
  /** Media types by extension, before those that are known, as { gmi: 'text/gemini' }. */
  readonly mimeTypes?: Readonly<Record<string, string>> | undefined;
  /** Memory for small files, and the largest of them. Default 32 MiB and 64 KiB. */
  readonly cacheBytesMax?: number | undefined;
  readonly cacheEntryBytesMax?: number | undefined;
}

/** The options with defaults filled in. */
export interface Settings {
  readonly listing: boolean;
  readonly index: readonly string[];
  readonly dotfiles: boolean;
  readonly precompressed: boolean;
  /** Names of the page's path; null without one. */
  readonly spa: readonly string[] | null;
  readonly notFound: readonly string[] | null;
  readonly cacheControl: false | string | ByPattern<string | false>;
  readonly headers: ByPattern<Readonly<Record<string, string>>>;
  readonly extensions: readonly string[];
  readonly symlinks: Symlinks;
  readonly mimeTypes: Readonly<Record<string, string>>;
  readonly cacheBytesMax: number;
  readonly cacheEntryBytesMax: number;
}

const CACHE_BYTES_MAX = 32 * 1024 * 1024;
const CACHE_ENTRY_BYTES_MAX = 64 * 1024;
const INDEX = 'index.html';

/** The rules of those options that are also keys of the configuration. */
export const INDEX_RULE: OptionRule = ruleWith(
  "the name of a file, as 'index.html', or a list of names",
  (value) => {
    if (typeof value === 'string') return isFileName(value) ? null : '';
    return Array.isArray(value) && value.length === 0 ? 'it is empty' : names(value);
  },
);

export const SPA_RULE: OptionRule = {
  wanted: "true, false, or the path of a page below the root, as 'app.html'",
  fits: (value) => typeof value === 'boolean' || isPage(value),
};

export const NOT_FOUND_RULE: OptionRule = {
  wanted: "the path of a page below the root, as '404.html'",
  fits: isPage,
};

export const EXTENSIONS_RULE: OptionRule = ruleWith(
  "a list of extensions without their dot, as ['html']",
  listOf(extension),
);

export const CACHE_CONTROL_RULE: OptionRule = ruleWith(
  "false, the value of a field, or an object of values by pattern, as { '*.css': '...' }",
  (value) => (typeof value === 'object' ? noneOrValues(value) : noneOrValue(value)),
);

export const HEADERS_RULE: OptionRule = ruleWith(
  "an object of fields by pattern, as { '*.pdf': { 'X-Robots-Tag': 'noindex' } }",
  (value) => fieldsByPattern(value),
);

export const MIME_TYPES_RULE: OptionRule = ruleWith(
  "an object of media types by extension, as { gmi: 'text/gemini' }",
  tableOf(extension, mediaType),
);

const OPTIONS = {
  listing: BOOLEAN,
  index: INDEX_RULE,
  dotfiles: BOOLEAN,
  precompressed: BOOLEAN,
  spa: SPA_RULE,
  cacheControl: CACHE_CONTROL_RULE,
  headers: HEADERS_RULE,
  extensions: EXTENSIONS_RULE,
  notFound: NOT_FOUND_RULE,
  symlinks: choice(SYMLINKS),
  mimeTypes: MIME_TYPES_RULE,
  cacheBytesMax: wholeNumber('bytes'),
  cacheEntryBytesMax: wholeNumber('bytes'),
} as const;

/** Throws a TypeError for unknown and invalid options. */
export function settingsFrom(options: StaticOptions): Settings {
  checkOptions('serveStatic', options, OPTIONS);
  const { index = INDEX, spa = false, dotfiles = false, notFound } = options;
  const hidden = hiddenPage(options);
  if (hidden !== null) {
    const { option, path } = hidden;
    const advice = 'set dotfiles: true to send it';
    throw new TypeError(`serveStatic: ${option} ${shown(path)} begins with a dot: ${advice}`);
  }
  const indexes = typeof index === 'string' ? [index] : [...index];
  const spaPage = spa === true ? indexes[0] : spa;
  return {
    listing: options.listing ?? false,
    index: indexes,
    dotfiles,
    precompressed: options.precompressed ?? false,
    spa: spaPage === false ? null : spaPage.split('/'),
    notFound: notFound === undefined ? null : notFound.split('/'),
    cacheControl: options.cacheControl ?? {},
    headers: options.headers ?? {},
    extensions: [...(options.extensions ?? [])],
    symlinks: options.symlinks ?? 'inside',
    mimeTypes: options.mimeTypes ?? {},
    cacheBytesMax: options.cacheBytesMax ?? CACHE_BYTES_MAX,
    cacheEntryBytesMax: options.cacheEntryBytesMax ?? CACHE_ENTRY_BYTES_MAX,
  };
}

/** A page that could never be sent, because its name begins with a dot; null without one. */
export function hiddenPage({
  index = INDEX,
  spa = false,
  notFound = '',
  dotfiles = false,
}: StaticOptions): { readonly option: string; readonly path: string } | null {
  if (dotfiles) return null;
  const pages = [
    ...(typeof index === 'string' ? [index] : index).map((path) => ({ option: 'index', path })),
    { option: 'spa', path: typeof spa === 'string' ? spa : '' },
    { option: 'notFound', path: notFound },
  ];
  return pages.find(({ path }) => path.split('/').some(isHidden)) ?? null;
}

/** The path of a file below the root: names with slashes between them. */
function isPage(value: unknown): boolean {
  return typeof value === 'string' && value.split('/').every((name) => isFileName(name));
}

const names: Problem = listOf((name) => {
  return typeof name === 'string' && isFileName(name) ? null : 'it is not the name of a file';
});

function extension(value: unknown): string | null {
  if (typeof value === 'string' && /^[a-z0-9][a-z0-9.+_-]*$/i.test(value)) return null;
  return 'it is not an extension without its dot';
}

function mediaType(value: unknown): string | null {
  const isType = typeof value === 'string' && /^[\w.+-]+\/[\w.+-]+ *(?:;|$)/.test(value);
  return isType ? fieldValue(value) : `${shown(value)} is not a media type`;
}

function pattern(value: unknown): string | null {
  return isGlob(value) ? null : 'it is not a pattern of paths';
}

const noneOrValues: Problem = tableOf(pattern, noneOrValue);

function noneOrValue(value: unknown): string | null {
  return value === false ? null : fieldValue(value);
}

function fieldValue(value: unknown): string | null {
  if (typeof value !== 'string') return `${shown(value)} is not the value of a field`;
  if (value.trim() === '') return 'the value is empty';
  const hasFault = faultOf(() => checkValue('', value)) !== null;
  return hasFault ? 'the value has a control character, or one above U+00FF' : null;
}

const fields: Problem = tableOf(fieldName, fieldValue);

const fieldsByPattern: Problem = tableOf(pattern, (value) => {
  return fields(value) === '' ? `${shown(value)} is not an object of fields` : fields(value);
});

/** Validators and ranges follow from the file. */
const FROM_FILE = ['etag', 'last-modified', 'accept-ranges', 'content-range'];

function fieldName(value: unknown): string | null {
  const name = String(value);
  if (FROM_FILE.includes(name.toLowerCase())) return 'it follows from the file';
  return faultOf(() => checkFraming(checkedName(name)));
}

/** The message of a check that throws. */
function faultOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
