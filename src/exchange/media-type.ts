// The media type of a file, from its name's extension.

import { lookup } from 'mrmime';

const UNKNOWN = 'application/octet-stream';

/** Types that the table lacks or has in a form that browsers do not know. */
const MORE_TYPES: ReadonlyMap<string, string> = new Map([
  ['ico', 'image/x-icon'],
  ['cjs', 'text/javascript'],
  ['m3u8', 'application/vnd.apple.mpegurl'],
  ['flac', 'audio/flac'],
  ['mkv', 'video/x-matroska'],
  ['m4v', 'video/mp4'],
  ['srt', 'application/x-subrip'],
  ['eot', 'application/vnd.ms-fontobject'],
  ['7z', 'application/x-7z-compressed'],
  ['rar', 'application/vnd.rar'],
  ['tar', 'application/x-tar'],
  ['tgz', 'application/gzip'],
  ['bz2', 'application/x-bzip2'],
  ['xz', 'application/x-xz'],
  ['zst', 'application/zstd'],
  ['xls', 'application/vnd.ms-excel'],
  ['ppt', 'application/vnd.ms-powerpoint'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['odt', 'application/vnd.oasis.opendocument.text'],
  ['ods', 'application/vnd.oasis.opendocument.spreadsheet'],
  ['odp', 'application/vnd.oasis.opendocument.presentation'],
  ['apk', 'application/vnd.android.package-archive'],
  ['kml', 'application/vnd.google-earth.kml+xml'],
  ['ndjson', 'application/x-ndjson'],
  ['sqlite', 'application/vnd.sqlite3'],
]);

/**
 * Types of text, except XML: a document declares its own encoding, which a charset would override
 * (RFC 7303 3.2).
 */
const TEXTUAL = /^(?:text\/(?!xml$)|application\/(?:json|javascript|manifest\+json|ld\+json)$)/;

/** With `charset=utf-8` for text; application/octet-stream for an unknown extension. */
export function mediaType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = name.slice(dot + 1).toLowerCase();
  // The table is a plain object: inherited names such as `constructor` are not types.
  if (dot < 0 || !/^[a-z0-9-]+$/.test(extension) || extension in Object.prototype) return UNKNOWN;
  const type = MORE_TYPES.get(extension) ?? lookup(extension);
  if (type === undefined) return UNKNOWN;
  return TEXTUAL.test(type) ? `${type}; charset=utf-8` : type;
}
