// Texts of a listing: names, sizes and times for people, and their escapes for HTML.

import { logText } from '../../base/log-text.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // No HTML text can contain it, not even by its number.
  '\0': '\ufffd',
};

/** For text and for quoted values of attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (character) => ESCAPES[character]);
}

/**
 * A name as HTML text. Controls and marks that change the direction of text are shown by their
 * number, so that no name looks like another one.
 */
export function shownName(name: string): string {
  return escapeHtml(logText(name));
}

/**
 * The link to an entry, for an attribute. Without the dot and slash before it, a name such as `a:b`
 * would begin with a URI scheme.
 */
export function linkTo(name: string, isFolder: boolean): string {
  return escapeHtml(`./${encodeURIComponent(name)}${isFolder ? '/' : ''}`);
}

/** Whether a name is text: half of a surrogate pair (on Windows) has no URL. */
export function isText(name: string): boolean {
  return !/\p{Surrogate}/u.test(name);
}

/** 1.5 KiB */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes / 1024;
  let unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** 1,536 bytes */
export function exactSizeText(bytes: number): string {
  const digits = String(bytes).replace(/\B(?=(?:\d{3})+$)/g, ',');
  return bytes === 1 ? '1 byte' : `${digits} bytes`;
}

/** The time in UTC as ISO 8601; '' outside the range of Date, which some file systems can store. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** `3 folders, 1 file` */
export function countsText(folders: number, files: number): string {
  const counts: string[] = [];
  if (folders > 0) counts.push(`${folders} ${folders === 1 ? 'folder' : 'folders'}`);
  if (files > 0) counts.push(`${files} ${files === 1 ? 'file' : 'files'}`);
  return counts.length === 0 ? 'Nothing here' : counts.join(', ');
}
