// The field that makes browsers save content as a file (RFC 6266).

/**
 * What no header or file name may have: control characters, what separates folders, and what turns
 * the direction of text, so that another ending is shown (Unicode Technical Report 36).
 */
const UNSAFE = /[\p{Bidi_Control}\p{Cc}\p{Zl}\p{Zp}\p{Cs}/\\]/gu;
/** What an old client may read in another way: quotes, escapes, other characters than ASCII. */
const NOT_PLAIN = /[^\x20-\x7e]|["%]/gu;
/** What encodeURIComponent() leaves and an extended value may not have (RFC 8187 3.2.1). */
const NOT_ATTRIBUTE = /['()*]/g;

/**
 * `attachment` with a name for the file: in ASCII, and as UTF-8 where that is not all of it.
 * Slashes, control characters and those of the direction of text become `_`.
 */
export function attachment(name: string): string {
  const safe = name.replace(UNSAFE, '_');
  const plain = safe.replace(NOT_PLAIN, '_');
  if (plain === safe) return `attachment; filename="${safe}"`;
  const encoded = encodeURIComponent(safe).replace(
    NOT_ATTRIBUTE,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
