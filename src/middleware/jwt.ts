// Verifies JSON Web Tokens (RFC 7519, by the practices of RFC 8725) for bearerAuth(), through the
// package jose, which is loaded with the first token.

import { describe } from '../base/describe.ts';
import { checkOptions, isPlainObject, type OptionRule, wholeNumberIn } from '../base/options.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';
import type { VerifyToken } from './bearer-auth.ts';

type Jose = typeof import('jose');
type Verify = (token: string, currentDate: Date) => Promise<JwtClaims>;

/**
 * The claims of a JSON Web Token (RFC 7519 4.1), and others by their names. Numbers are seconds
 * since 1970, and are checked; the types of the others are what the issuer has to keep to.
 */
export interface JwtClaims {
  readonly exp: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  readonly jti?: string;
  readonly [name: string]: unknown;
}

/** Options of jwt(): `key` or `jwks`, and the algorithms. */
export interface JwtOptions {
  /**
   * The key: the bytes of a secret for HS256, HS384 and HS512, else a public key as a JWK, as a
   * CryptoKey or a KeyObject.
   */
  readonly key?: object;
  /** The URL of a set of public keys (RFC 7517 5), which is fetched and cached, or the set. */
  readonly jwks?: string | { readonly keys: readonly object[] };
  /** The algorithms that are accepted, such as ['RS256']. */
  readonly algorithms: readonly string[];
  /** The `iss` that is accepted, or a list. Default: any. */
  readonly issuer?: string | readonly string[];
  /** The `aud` that is accepted, or a list. Default: any. */
  readonly audience?: string | readonly string[];
  /** How far the clock of the issuer may be off. Default 0. */
  readonly clockToleranceSeconds?: number;
}

/** RFC 7518 3.2: a secret has at least as many bytes as the hash. */
const SECRET_BYTES: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const ASYMMETRIC = /^(?:(?:RS|PS)(?:256|384|512)|ES(?:256|384|512)|EdDSA|Ed25519)$/;
const TOLERANCE_SECONDS_MAX = 3_600;
/** How often the log says that keys cannot be fetched. */
const NOTE_MS = 10_000;

const TEXTS: OptionRule = {
  wanted: 'text, or a list of texts',
  fits: (value) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.length > 0 && list.every((one) => typeof one === 'string' && one !== '');
  },
};

const OPTIONS = {
  key: {
    wanted: 'bytes, a JWK, a CryptoKey or a KeyObject',
    fits: (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
  },
  jwks: {
    wanted: 'an https: URL, or an object with a list of keys',
    fits: (value: unknown) => isKeySetUrl(value) || isKeySet(value),
  },
  algorithms: {
    wanted: "a list of signature algorithms, as ['RS256']; 'none' is not one",
    fits: (value: unknown) =>
      Array.isArray(value) && value.length > 0 && value.every((one) => isAlgorithm(one)),
  },
  issuer: TEXTS,
  audience: TEXTS,
  clockToleranceSeconds: wholeNumberIn(0, TOLERANCE_SECONDS_MAX, 'seconds'),
} as const;

/** Throws a TypeError for options that are invalid, or that accept tokens of an attacker. */
export function jwt(options: JwtOptions): VerifyToken<JwtClaims> {
  checkOptions('jwt', options, OPTIONS);
  checkTogether(options);
  let loading: Promise<Verify> | null = null;
  let notedMs = Number.NEGATIVE_INFINITY;
  return async (token, request) => {
    const now = new Date(exchangeOf(request).services.wallMs());
    loading ??= load().then((jose) => verifierOf(jose, options));
    const verify = await loading;
    try {
      return await verify(token, now);
    } catch (error) {
      if (isTokenFault(error)) return false;
      if (typeof options.jwks !== 'string') throw error;
      if (now.getTime() - notedMs >= NOTE_MS) {
        notedMs = now.getTime();
        exchangeOf(request).services.logError(`jwt: ${options.jwks}: ${describe(error)}`);
      }
      throw new HttpError(503, 'the keys of the issuer cannot be fetched', { cause: error });
    }
  };
}

noteMaker(jwt, 'jwt');

function checkTogether(options: JwtOptions): void {
  const { algorithms, jwks, key } = options;
  if ((key === undefined) === (jwks === undefined)) {
    throw new TypeError('jwt: give one of key and jwks');
  }
  if (algorithms === undefined) {
    throw new TypeError("jwt: algorithms is missing, a list such as ['RS256']");
  }
  const secrets = algorithms.filter((name) => Object.hasOwn(SECRET_BYTES, name));
  const isSecret = key instanceof Uint8Array;
  // With both kinds, a public key would be accepted as a secret, and an attacker knows it.
  if (secrets.length > 0 && (secrets.length < algorithms.length || !isSecret)) {
    throw new TypeError(
      `jwt: ${secrets.join(', ')} need a key of bytes, and no other algorithm beside them`,
    );
  }
  const isSecretJwk = key !== undefined && 'kty' in key && key.kty === 'oct';
  if (isSecretJwk || (secrets.length === 0 && isSecret)) {
    throw new TypeError(`jwt: ${algorithms.join(', ')} need a public key, not a secret`);
  }
  for (const name of secrets) {
    if (isSecret && key.length >= SECRET_BYTES[name]) continue;
    throw new TypeError(`jwt: ${name} needs a key of at least ${SECRET_BYTES[name]} bytes`);
  }
}

function isAlgorithm(name: unknown): boolean {
  return typeof name === 'string' && (ASYMMETRIC.test(name) || Object.hasOwn(SECRET_BYTES, name));
}

/** Keys that are fetched without TLS can be replaced on the way, except on this machine. */
function isKeySetUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { hostname, protocol } = new URL(value);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLocal);
}

function isKeySet(value: unknown): boolean {
  if (!isPlainObject(value) || !('keys' in value)) return false;
  return Array.isArray(value.keys) && value.keys.every((key) => isPlainObject(key));
}

async function load(): Promise<Jose> {
  try {
    return await import('jose');
  } catch (cause) {
    throw new Error("jwt: the package 'jose' is missing; install it: npm install jose", { cause });
  }
}

async function verifierOf(jose: Jose, options: JwtOptions): Promise<Verify> {
  const { algorithms, audience, clockToleranceSeconds = 0, issuer } = options;
  const common = {
    algorithms: [...algorithms],
    clockTolerance: clockToleranceSeconds,
    // A token without an end could never be taken back.
    requiredClaims: ['exp'],
    ...(issuer === undefined ? {} : { issuer: [issuer].flat() }),
    ...(audience === undefined ? {} : { audience: [audience].flat() }),
  };
  const { jwks } = options;
  if (jwks !== undefined) {
    const keys =
      typeof jwks === 'string'
        ? jose.createRemoteJWKSet(new URL(jwks))
        : jose.createLocalJWKSet(jwks as Parameters<Jose['createLocalJWKSet']>[0]);
    return async (token, currentDate) =>
      claimsOf(await jose.jwtVerify(token, keys, { ...common, currentDate }));
  }
  const key = options.key as Parameters<Jose['jwtVerify']>[1];
  return async (token, currentDate) =>
    claimsOf(await jose.jwtVerify(token, key, { ...common, currentDate }));
}

/** jose has checked that `exp` is there. */
function claimsOf({ payload }: { readonly payload: object }): JwtClaims {
  return payload as JwtClaims;
}

/** Codes of jose for what is wrong with a token; others are faults of keys or of the network. */
const TOKEN_FAULTS = [
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
];

function isTokenFault(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return TOKEN_FAULTS.includes(String(error.code));
}
