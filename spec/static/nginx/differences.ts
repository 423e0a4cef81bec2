// The differences from nginx that have a reason; spec/static-differences.md explains each.

import type { Reduced } from './compare.ts';
import type { StaticRequest } from './requests.ts';

export interface Difference {
  /** As in the page. */
  readonly name: string;
  fits(
    request: StaticRequest,
    ours: Reduced,
    nginx: Reduced,
    different: readonly string[],
  ): boolean;
}

const HALF_ESCAPE = /%(?![0-9a-f]{2})/i;
const NOT_UTF8 = /%(?:FC|c0|ce)/i;
const ABOVE_ROOT = /^\/(?:\.\.|%2e%2e)(?:\/|$)|^\/dir\/\.\.\/\.\./i;
const ENCODED_SLASH = /%2f/i;
/** A member of the list is not a range: a word, a sign too many, a last before the first. */
const MALFORMED_RANGE = /[a-z]-|--|=1$|1-2-3|0 - 9|=9-0/;

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'charset of JSON',
    fits: ({ target }, _ours, _nginx, different) =>
      target === '/data.json' && different.join() === 'content-type',
  },
  {
    name: 'invalid escapes',
    fits: ({ target }, ours, nginx) =>
      (HALF_ESCAPE.test(target) || NOT_UTF8.test(target)) && isStatus(ours, nginx, '400', '404'),
  },
  {
    name: 'folders without an index',
    fits: ({ target }, ours) => /^\/(?:no-index|deep\/er\/est)\/?$/.test(target) && is404(ours),
  },
  { name: 'dotfiles', fits: ({ target }, ours) => target.includes('/..hidden') && is404(ours) },
  {
    name: 'dot segments above the root',
    fits: ({ target }, ours, nginx) =>
      ABOVE_ROOT.test(target) &&
      nginx['status'] === '400' &&
      (target === '/..' ? ours['status'] === '200' : is404(ours)),
  },
  {
    name: 'encoded slashes',
    fits: ({ target }, ours) => ENCODED_SLASH.test(target) && is404(ours),
  },
  {
    name: 'methods on missing files',
    fits: ({ method, target }, ours, nginx) =>
      /^(?:PUT|DELETE|PATCH|OPTIONS)$/.test(method) &&
      target === '/missing' &&
      isStatus(ours, nginx, '404', '405'),
  },
  {
    name: 'OPTIONS',
    fits: ({ method }, ours, nginx) => method === 'OPTIONS' && isStatus(ours, nginx, '204', '405'),
  },
  {
    name: 'Last-Modified in 304',
    fits: (_request, ours, nginx, different) =>
      isStatus(ours, nginx, '304', '304') && different.join() === 'last-modified',
  },
  {
    name: 'HEAD with Range',
    fits: ({ method, fields }, ours, nginx) =>
      method === 'HEAD' &&
      has(fields, 'Range') &&
      ours['status'] === '200' &&
      /^(?:206|416)$/.test(nginx['status'] ?? ''),
  },
  {
    name: 'If-None-Match with If-Modified-Since',
    fits: ({ fields }, ours, nginx) =>
      has(fields, 'If-None-Match') &&
      has(fields, 'If-Modified-Since') &&
      isStatus(ours, nginx, '304', '200'),
  },
  {
    name: 'If-Match with If-Unmodified-Since',
    fits: ({ fields }, ours, nginx) =>
      has(fields, 'If-Match') &&
      has(fields, 'If-Unmodified-Since') &&
      isStatus(ours, nginx, '200', '412'),
  },
  {
    name: 'If-Modified-Since after the modification',
    fits: ({ fields }, ours, nginx) =>
      has(fields, 'If-Modified-Since') &&
      !has(fields, 'If-None-Match') &&
      isStatus(ours, nginx, '304', '200'),
  },
  {
    name: 'invalid dates',
    fits: ({ fields }, ours) =>
      fields.some(([name, value]) => / *-Since$|^If-Range$/.test(name) && !isDate(value)) &&
      ours['status'] === '200',
  },
  {
    name: 'malformed ranges',
    fits: ({ fields }, ours, nginx) =>
      MALFORMED_RANGE.test(fieldValue(fields, 'Range')) &&
      ours['status'] === '200' &&
      /^(?:206|416)$/.test(nginx['status'] ?? ''),
  },
  {
    name: 'empty members of Range',
    fits: ({ fields }, ours, nginx) =>
      /=,|,$/.test(fieldValue(fields, 'Range')) && isStatus(ours, nginx, '206', '416'),
  },
  {
    name: 'large numbers in Range',
    fits: ({ fields }, ours, nginx) =>
      /\d{20}/.test(fieldValue(fields, 'Range')) && isStatus(ours, nginx, '206', '416'),
  },
  {
    name: 'ranges of an empty file',
    fits: ({ target }, ours, nginx) =>
      target === '/empty.txt' && isStatus(ours, nginx, '416', '200'),
  },
  {
    name: 'variants in Brotli',
    fits: ({ target }, ours) => target === '/script.js' && ours['content-encoding'] === 'br',
  },
  {
    name: 'q-values',
    fits: ({ fields }, ours, nginx) =>
      /gzip;q=0\.1, identity/.test(fieldValue(fields, 'Accept-Encoding')) &&
      ours['content-encoding'] === undefined &&
      nginx['content-encoding'] === 'gzip',
  },
  {
    name: 'x-gzip',
    fits: ({ fields }, ours) =>
      fieldValue(fields, 'Accept-Encoding') === 'x-gzip' && ours['content-encoding'] === 'gzip',
  },
  {
    name: 'ranges of variants',
    fits: ({ target, fields }, ours, nginx) =>
      target === '/script.js' && has(fields, 'Range') && isStatus(ours, nginx, '206', '200'),
  },
  {
    name: 'several lines of If-None-Match',
    fits: ({ fields }, ours, nginx) =>
      fields.filter(([name]) => name === 'If-None-Match').length > 1 &&
      isStatus(ours, nginx, '304', '400'),
  },
  {
    name: 'several lines of Range',
    fits: ({ fields }, ours, nginx) =>
      fields.filter(([name]) => name === 'Range').length > 1 && isStatus(ours, nginx, '200', '206'),
  },
];

type Fields = StaticRequest['fields'];

function has(fields: Fields, name: string): boolean {
  return fields.some(([one]) => one === name);
}

function fieldValue(fields: Fields, name: string): string {
  return fields.find(([one]) => one === name)?.[1] ?? '';
}

function isStatus(ours: Reduced, nginx: Reduced, one: string, other: string): boolean {
  return ours['status'] === one && nginx['status'] === other;
}

function is404(response: Reduced): boolean {
  return response['status'] === '404';
}

/** Whether a value has one of the three forms of RFC 9110 5.6.7, or is an entity tag. */
function isDate(value: string): boolean {
  return (
    /[{"*]/.test(value) ||
    (/^(?:\w{3}, \d\d \w{3} \d{4} .* GMT|\w+, \d\d-\w{3}-\d\d .* GMT|\w{3} \w{3} [\d ]\d .* \d{4})$/.test(
      value,
    ) &&
      !value.includes('31 Feb'))
  );
}
