// Passwords as slow hashes, which a thief of the database has to guess one by one.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { HttpError } from 'vibing';

/** 32 MiB and some 100 ms for each hash (OWASP recommends these, or more). */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Hashes that are computed or wait; Node computes four at a time. */
const HASHES_MAX = 16;

let running = 0;

/** A text to keep: the salt and the hash. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt);
  return `${salt.toString('base64url')}.${hash.toString('base64url')}`;
}

/** Takes the same time whether the user exists (`kept` is not null) or not. */
export async function isPassword(password: string, kept: string | null): Promise<boolean> {
  const [salt = '', hash = ''] = (kept ?? NO_PASSWORD).split('.');
  const found = await derive(password, Buffer.from(salt, 'base64url'));
  return timingSafeEqual(found, Buffer.from(hash, 'base64url')) && kept !== null;
}

const NO_PASSWORD = `${'A'.repeat(22)}.${'A'.repeat(43)}`;

async function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (running >= HASHES_MAX) {
    throw new HttpError(503, 'too many people log in; try again', {
      headers: { 'Retry-After': 1 },
    });
  }
  running += 1;
  try {
    return await new Promise((resolve, reject) => {
      scrypt(password.normalize('NFC'), salt, HASH_BYTES, COST, (error, hash) => {
        if (error === null) resolve(hash);
        else reject(error);
      });
    });
  } finally {
    running -= 1;
  }
}
