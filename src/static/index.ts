// The public names of `vibing/static`.

export type { StaticOptions } from './options.ts';
export { serveStatic } from './serve-static.ts';
