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
export type { ContentSecurityPolicy } from './content-security-policy.ts';
export { type CorsOptions, cors } from './cors.ts';
export { type CsrfOptions, csrf } from './csrf.ts';
export { type JwtOptions, jwt } from './jwt.ts';
export { type ProxyOptions, proxy } from './proxy.ts';
export { type RateLimitOptions, rateLimit } from './rate-limit.ts';
export {
  type HstsOptions,
  type SecurityHeadersOptions,
  securityHeaders,
} from './security-headers.ts';
export { type TrustProxyOptions, trustProxy } from './trust-proxy.ts';
