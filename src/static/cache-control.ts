// The Cache-Control field of a file when no option sets one. Pages are always revalidated, so that
// a new release is seen at once. Files whose name contains a hash of their content never change.
// Others get no field, as in nginx: how long they may be old is the site's decision.

/** Pages that name the files of a release. */
const PAGE = /\.(?:html?|xhtml|webmanifest)$/i;

/** What bundlers write with a hash in its name. */
const ASSET =
  /\.(?:js|mjs|css|wasm|json|woff2?|ttf|otf|eot|svg|png|jpe?g|gif|webp|avif|ico|mp[34]|webm)(?:\.map)?$/i;

export const REVALIDATED = 'no-cache';
/** RFC 8246; a year is what RFC 9111 and caches take for "for ever". */
export const IMMUTABLE = 'public, max-age=31536000, immutable';

/** Null: no field. `path` has no slash at its beginning. */
export function defaultCacheControl(path: string): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (PAGE.test(name)) return REVALIDATED;
  const extension = ASSET.exec(name);
  return extension !== null && endsInHash(name.slice(0, extension.index).replace(BEHIND_HASH, ''))
    ? IMMUTABLE
    : null;
}

/** Between the hash and the extension, as in main.3f9a1c2b.chunk.js. */
const BEHIND_HASH = /\.(?:min|chunk|bundle|module)$/i;

/** A hash after a dot, dash or underscore: hexadecimal of at least 8 digits (webpack, Parcel). */
const HEX = /[._-](?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{8,64}$/;
/** Base64url of 8 characters (Vite, Rollup): both cases and a digit, or it may be a word. */
const BASE64 = /[.-](?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[\w-]{8}$/;
/** Base32 of 8 characters (esbuild): a digit before a letter. No year has only these digits. */
const BASE32 = /[.-](?=[A-Z2-7]*[2-7][A-Z])[A-Z2-7]{8}$/;

/**
 * A wrong guess would let clients keep an old file for a year, so a number, a date, a version and a
 * word are no hash. A hash that looks like one of them is not recognized, which costs a request.
 */
function endsInHash(stem: string): boolean {
  return HEX.test(stem) || BASE64.test(stem) || BASE32.test(stem);
}
