// Numbers and phrases of the page.

import { countText } from '../../src/load/format.ts';
import { escapeHtml } from '../../src/load/report-html.ts';
import type { ResultLine } from '../measure/results.ts';

export { countText, escapeHtml };

/** '-' without a value. */
export function microsText(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  return `${value.toFixed(value < 100 ? 1 : 0)} µs`;
}

/** From milliseconds, in the unit that fits the value. */
export function latencyText(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return '-';
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  return `${Number((ms / 1000).toPrecision(3))} s`;
}

export function ratioText(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '-' : `${value.toFixed(2)}×`;
}

/** 2026-11-22 14:54 UTC, from an ISO time. */
export function dateText(iso: string): string {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(iso)
    ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
    : iso;
}

export function connectionsText({ connections, pipelining }: ResultLine): string {
  const many = connections === 1 ? '1 connection' : `${countText(connections)} connections`;
  return pipelining === 1 ? many : `${many}, pipelining ${pipelining}`;
}

export function emptySection(text: string, command: string): string {
  return `<p class="empty">${escapeHtml(text)} <code>${escapeHtml(command)}</code></p>`;
}
