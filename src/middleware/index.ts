// The public names of `vibing/middleware`.

export { type AccessLogOptions, accessLog } from './access-log.ts';
export { type CacheOptions, cache } from './cache.ts';
export { type CompressOptions, compress } from './compress.ts';
export { type CorsOptions, cors } from './cors.ts';
export { type DecompressOptions, decompress } from './decompress.ts';
export { type EtagOptions, etag } from './etag.ts';
export type { LogField } from './log-entry.ts';
export { type MethodOverrideOptions, methodOverride } from './method-override.ts';
export { type RequestIdOptions, requestId } from './request-id.ts';
export {
  type ServerTimingOptions,
  serverTiming,
  type Timing,
  timing,
} from './server-timing.ts';
export { timeout } from './timeout.ts';
