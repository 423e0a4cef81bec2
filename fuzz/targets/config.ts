// Configuration files: readJson(), loadConfig() and back.

import type { Target } from '../engine/target.ts';
import { CONFIG_BYTES_MAX, CONFIG_WORDS, checkConfig } from '../oracles/config.ts';

export const target: Target = {
  name: 'config',
  bytesMax: CONFIG_BYTES_MAX,
  controlBytes: 0,
  stepsMax: 1_000_000,
  seeds: [
    '{}',
    '{ "host": "127.0.0.1", "port": 8080, "workers": "auto" }',
    '{ "socket": "/run/a.sock", "socket_mode": "660",\n  "log_level": "debug" }',
  ],
  words: [...CONFIG_WORDS, '": ', '", "', '{ "', '" }', '[', ']', 'null', 'true', '\\u0000'],
  mutations: [],
  run: checkConfig,
};
