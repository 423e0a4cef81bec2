// The public names of `vibing/middleware`.

export { type AccessLogOptions, accessLog } from './access-log.ts';
export { type CorsOptions, cors } from './cors.ts';
