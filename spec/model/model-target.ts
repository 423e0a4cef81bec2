// The model of request targets (RFC 9112 3.2) and authorities (RFC 3986 3.2, RFC 9110 4.2).

import {
  exactly,
  exactlyInAnyCase,
  IPv4address,
  IPv6address,
  IPvFuture,
  port,
  regName,
  scheme,
} from './abnf.ts';
import { reject, rejectStrictly } from './reader.ts';

export type ModelForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

export interface ModelTarget {
  readonly target: string;
  readonly form: ModelForm;
  /** As it was sent; empty for the forms without a path. */
  readonly path: string;
  /** What follows the '?', null without one. */
  readonly query: string | null;
}

const HTTP_SCHEME = exactlyInAnyCase('http|https');
const SCHEME = exactly(scheme);
const PORT = exactly(port);
const HOST = exactly(`\\[${IPv6address}\\]|${IPv4address}|${regName}`);
const FUTURE = exactly(`\\[${IPvFuture}\\]`);
const PORT_MAX = 65_535n;

/** The form by the method and the first character. */
export function targetForm(method: string, first: string): ModelForm {
  if (method === 'CONNECT') return 'authority';
  if (first === '/') return 'origin';
  if (first === '*') {
    if (method !== 'OPTIONS') rejectStrictly('asterisk-for-options');
    return 'asterisk';
  }
  if (/[hH]/.test(first)) return 'absolute';
  return reject('request-target');
}

/** request-target = origin-form / absolute-form / authority-form / asterisk-form */
export function modelTarget(form: ModelForm, target: string): ModelTarget {
  switch (form) {
    case 'origin':
      return { target, form, ...pathAndQuery(target) };
    case 'absolute':
      return { target, form, ...absolute(target) };
    case 'authority':
      authorityForm(target);
      return { target, form, path: '', query: null };
    case 'asterisk':
      if (target !== '*') reject('asterisk-form');
      return { target, form, path: '', query: null };
  }
}

/** absolute-path [ "?" query ]; requestTarget() has checked their bytes. */
function pathAndQuery(text: string): { path: string; query: string | null } {
  const question = text.indexOf('?');
  if (question < 0) return { path: text, query: null };
  return { path: text.slice(0, question), query: text.slice(question + 1) };
}

/** http-URI = "http" "://" authority path-abempty [ "?" query ], and https-URI likewise. */
function absolute(target: string): { path: string; query: string | null } {
  const colon = target.indexOf(':');
  if (colon < 0 || !SCHEME.test(target.slice(0, colon))) reject('absolute-form');
  if (!HTTP_SCHEME.test(target.slice(0, colon))) {
    // A target without '//' may be an authority.
    if (target.slice(colon).startsWith('://')) rejectStrictly('scheme-of-http');
    rejectStrictly('authority-for-connect');
  }
  const afterScheme = target.slice(colon);
  if (!afterScheme.startsWith('://')) reject('http-URI');
  const rest = afterScheme.slice(3);
  const authorityEnd = rest.search(/[/?]|$/);
  modelAuthority(rest.slice(0, authorityEnd));
  return pathAndQuery(rest.slice(authorityEnd));
}

/** authority = uri-host [ ":" port ], the host not empty. */
export function modelAuthority(text: string): void {
  const { host, portText } = split(text);
  checkHost(host);
  if (portText !== null) checkPort(portText);
}

/** authority-form = uri-host ":" port, the port not empty. */
function authorityForm(text: string): void {
  const { host, portText } = split(text);
  checkHost(host);
  if (portText === '') rejectStrictly('port-for-connect');
  checkPort(portText ?? reject('authority-form'));
}

/** The first ':' outside of brackets separates host and port. */
function split(text: string): { host: string; portText: string | null } {
  if (text.includes('@')) rejectStrictly('no-user-information');
  const bracketed = text.startsWith('[');
  const hostEnd = bracketed ? text.indexOf(']') + 1 : text.search(/:|$/);
  if (bracketed && hostEnd === 0) reject('IP-literal');
  const rest = text.slice(hostEnd);
  if (rest === '') return { host: text, portText: null };
  if (!rest.startsWith(':')) reject('authority');
  return { host: text.slice(0, hostEnd), portText: rest.slice(1) };
}

function checkHost(host: string): void {
  if (host === '') rejectStrictly('host-not-empty');
  if (FUTURE.test(host)) rejectStrictly('no-future-address');
  if (!HOST.test(host)) reject('uri-host');
}

function checkPort(text: string): void {
  if (!PORT.test(text)) reject('port');
  if (BigInt(text) > PORT_MAX) rejectStrictly('port-number');
}
