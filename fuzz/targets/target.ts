// Paths of targets: routePath() and the router.

import type { Target } from '../engine/target.ts';
import { checkTarget, TARGET_BYTES_MAX } from '../oracles/target.ts';

export const target: Target = {
  name: 'target',
  bytesMax: TARGET_BYTES_MAX,
  controlBytes: 0,
  stepsMax: 100_000,
  seeds: ['/', '/a/b', '//a//../b//', '/a/%2e%2E/b/./c', '/b/c/d%2fe', '/%e2%82%ac/x/c'],
  words: [
    '//',
    '/.',
    '/..',
    '%2e',
    '%2f',
    '%252f',
    '..%2f',
    '%2f..',
    '%5c',
    '%25',
    '%00',
    '%c3%a9',
    '%f0%9f%98%80',
    '%ed%a0%80',
    '/a',
    '/b',
  ],
  mutations: [],
  run: checkTarget,
};
