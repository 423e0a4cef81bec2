#!/usr/bin/env node
// The command `vibing`. The code is imported when the cache of compiled code is known, as Node
// compiles what a file imports before it runs the file.

import { useCompileCache } from './compile-cache.ts';

useCompileCache(process.env);
await import('./command.ts');
