// The public names of `vibing/middleware`.

export { type AccessLogOptions, accessLog } from './access-log.ts';
export { type BasicAuthOptions, basicAuth, type VerifyPassword } from './basic-auth.ts';
export {
  type BearerAuthOptions,
  bearerAuth,
  type Claims,
  type VerifyToken,
} from './bearer-auth.ts';
export { bodyLimit } from './body-limit.ts';
export { type CacheOptions, cache } from './cache.ts';
export { type CompressOptions, compress } from './compress.ts';
export type { ContentSecurityPolicy } from './content-security-policy.ts';
export { type CorsOptions, cors } from './cors.ts';
export { type CsrfOptions, csrf } from './csrf.ts';
export { type DecompressOptions, decompress } from './decompress.ts';
export { type EtagOptions, etag } from './etag.ts';
export { type JwtClaims, type JwtOptions, jwt } from './jwt.ts';
export type { LogField } from './log-entry.ts';
export { type MethodOverrideOptions, methodOverride } from './method-override.ts';
export { type ProxyOptions, proxy } from './proxy.ts';
export type { ProxyHealth } from './proxy-health.ts';
export { type RateLimitOptions, rateLimit } from './rate-limit.ts';
export { type RequestIdOptions, requestId } from './request-id.ts';
export {
  type HstsOptions,
  type SecurityHeadersOptions,
  securityHeaders,
} from './security-headers.ts';
export {
  type ServerTimingOptions,
  serverTiming,
  type Timing,
  timing,
} from './server-timing.ts';
export { timeout } from './timeout.ts';
export { type TrustProxyOptions, trustProxy } from './trust-proxy.ts';
