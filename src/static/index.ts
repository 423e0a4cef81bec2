// The public names of `vibing/static`.

export { type StaticOptions, serveStatic } from './serve-static.ts';
