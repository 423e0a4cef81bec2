// The model's request targets (RFC 9112 3.2) and authorities (RFC 3986 3.2, RFC 9110 4.2).

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
import { refuse, refuseStrictly } from './reader.ts';

export type ModelForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

export interface ModelTarget {
  readonly target: string;
  readonly form: ModelForm;
  /** As it was sent; empty for the forms that have none. */
  readonly path: string;
  /** What follows the '?', null when there is none. */
  readonly query: string | null;
}

const HTTP_SCHEME = exactlyInAnyCase('http|https');
const SCHEME = exactly(scheme);
const PORT = exactly(port);
const HOST = exactly(`\\[${IPv6address}\\]|${IPv4address}|${regName}`);
const FUTURE = exactly(`\\[${IPvFuture}\\]`);
const PORT_MAX = 65_535n;

/** The method and the first character tell the forms apart. */
export function targetForm(method: string, first: string): ModelForm {
  if (method === 'CONNECT') return 'authority';
  if (first === '/') return 'origin';
  if (first === '*') {
    if (method !== 'OPTIONS') refuseStrictly('asterisk-for-options');
    return 'asterisk';
  }
  if (/[hH]/.test(first)) return 'absolute';
  return refuse('request-target');
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
      if (target !== '*') refuse('asterisk-form');
      return { target, form, path: '', query: null };
  }
}

/** absolute-path [ "?" query ]; what bytes they may have was seen to when they were read. */
function pathAndQuery(text: string): { path: string; query: string | null } {
  const question = text.indexOf('?');
  if (question < 0) return { path: text, query: null };
  return { path: text.slice(0, question), query: text.slice(question + 1) };
}

/** http-URI = "http" "://" authority path-abempty [ "?" query ], and https-URI likewise. */
function absolute(target: string): { path: string; query: string | null } {
  const colon = target.indexOf(':');
  if (colon < 0 || !SCHEME.test(target.slice(0, colon))) refuse('absolute-form');
  if (!HTTP_SCHEME.test(target.slice(0, colon))) {
    // What has no '//' may have been meant for an authority.
    if (target.slice(colon).startsWith('://')) refuseStrictly('scheme-of-http');
    refuseStrictly('authority-for-connect');
  }
  const behindScheme = target.slice(colon);
  if (!behindScheme.startsWith('://')) refuse('http-URI');
  const rest = behindScheme.slice(3);
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
  if (portText === '') refuseStrictly('port-for-connect');
  checkPort(portText ?? refuse('authority-form'));
}

/** The first ':' that is not inside of brackets divides host and port. */
function split(text: string): { host: string; portText: string | null } {
  if (text.includes('@')) refuseStrictly('no-user-information');
  const bracketed = text.startsWith('[');
  const hostEnd = bracketed ? text.indexOf(']') + 1 : text.search(/:|$/);
  if (bracketed && hostEnd === 0) refuse('IP-literal');
  const rest = text.slice(hostEnd);
  if (rest === '') return { host: text, portText: null };
  if (!rest.startsWith(':')) refuse('authority');
  return { host: text.slice(0, hostEnd), portText: rest.slice(1) };
}

function checkHost(host: string): void {
  if (host === '') refuseStrictly('host-not-empty');
  if (FUTURE.test(host)) refuseStrictly('no-future-address');
  if (!HOST.test(host)) refuse('uri-host');
}

function checkPort(text: string): void {
  if (!PORT.test(text)) refuse('port');
  if (BigInt(text) > PORT_MAX) refuseStrictly('port-number');
}
