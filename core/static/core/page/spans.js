/* What a time line of the API shows of a day: its spans in order, the gaps between them too. */

import { MINUTE, offsetAt } from "./zones.js";

// A start that is chosen by a click leaves so much time to fill in the form.
const SPARE = 5 * MINUTE;
const QUARTER = 15 * MINUTE;
const USUAL = 60 * MINUTE;

/**
 * The spans of a time line in a window, in order; what none of them covers cannot be booked.
 *
 * @param {Api.Timeline} line
 * @param {{start: number, end: number}} window
 * @param {number} now What was free before is free no more.
 * @returns {Page.Shown[]}
 */
export function spansOf(line, window, now) {
  /** @type {Page.Shown[]} */
  const found = [];
  /** @param {{start_time: string, end_time: string}} span @param {Omit<Page.Shown, "start" | "end">} more */
  const add = (span, more) => {
    const start = Math.max(Date.parse(span.start_time), window.start);
    const end = Math.min(Date.parse(span.end_time), window.end);
    if (start < end) found.push({ ...more, start, end });
  };
  for (const span of line.busy) {
    if (span.kind === "closure") add(span, { kind: "closed", reason: span.reason ?? "" });
    else if (span.mine && span.id) add(span, { kind: "mine", id: span.id, isPending: span.status === "pending" });
    else add(span, { kind: span.status === "pending" ? "pending" : "taken" });
  }
  for (const span of line.closed) add(span, { kind: "closed", reason: span.reason });
  for (const span of line.free) {
    const start = new Date(Math.max(Date.parse(span.start_time), now)).toISOString();
    add({ start_time: start, end_time: span.end_time }, { kind: "free" });
  }
  found.sort((one, other) => one.start - other.start || one.end - other.end);
  return withGaps(found, window);
}

/**
 * @param {Page.Shown[]} spans In order.
 * @param {{start: number, end: number}} window
 */
function withGaps(spans, window) {
  /** @type {Page.Shown[]} */
  const all = [];
  let until = window.start;
  for (const span of spans) {
    if (span.start > until) all.push({ kind: "none", start: until, end: span.start });
    all.push(span);
    until = Math.max(until, span.end);
  }
  if (until < window.end) all.push({ kind: "none", start: until, end: window.end });
  return all;
}

/**
 * The moment on the clock's grid of quarters, or of other steps.
 *
 * @param {number} moment
 * @param {string} zone
 * @param {{step?: number, up?: boolean, nearest?: boolean}} [how]
 */
export function onClock(moment, zone, { step = QUARTER, up = false, nearest = false } = {}) {
  const offset = offsetAt(moment, zone);
  const steps = (moment + offset) / step;
  return (nearest ? Math.round(steps) : up ? Math.ceil(steps) : Math.floor(steps)) * step - offset;
}

/**
 * What a click on free time means: an hour, or less where less is free.
 *
 * @param {{start: number, end: number}} free
 * @param {number | null} at The place of the click; null for its beginning.
 * @param {string} zone
 * @param {number} now
 */
export function wantedAt(free, at, zone, now) {
  const earliest = Math.max(free.start, Math.min(now + SPARE, free.end));
  let first = onClock(earliest, zone, { up: true });
  // It begins just now: the time that the form takes must be left.
  if (free.start > now && first - free.start < SPARE && first !== free.start) first += QUARTER;
  if (first >= free.end) first = free.start;
  const start = at === null ? first : Math.max(onClock(at, zone, { step: 2 * QUARTER }), first);
  return { start, end: Math.min(start + USUAL, free.end) };
}
