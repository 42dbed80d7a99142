/* Which day or week is wanted, and what the time lines of the API show of it: spans in order, the gaps between them too. */

import { call, Refused } from "./api.js";
import { FIRST_DAY } from "./format.js";
import { shownZone } from "./shown.js";
import { addDays, hoursOf, iso, MINUTE, momentsOf, offsetAt, startOfDay, weekStart } from "./zones.js";

// A start that is chosen by a click leaves so much time to fill in the form.
const SPARE = 5 * MINUTE;
const QUARTER = 15 * MINUTE;
const USUAL = 60 * MINUTE;
// The time lines of so many resources are asked at once, for a day and for a week: the API answers 20 000 spans at most.
const limits = { 1: 700, 7: 100 };
const FEWEST = 10;

/** @typedef {{date: string, days: 1 | 7, search: string, people: string, from: string, to: string, free: boolean, form: string}} State */

/** @param {string} date @param {URLSearchParams} query @returns {State} */
export function stateOf(date, query) {
  /** @param {string} name @param {RegExp} pattern */
  const read = (name, pattern) => pattern.exec(query.get(name) ?? "")?.[0] ?? "";
  const time = /^[0-9]{2}:[0-9]{2}$/;
  return {
    date,
    days: query.get("days") === "7" ? 7 : 1,
    search: read("search", /.*/),
    people: read("people", /^[1-9][0-9]{0,8}$/),
    from: read("from", time),
    to: read("to", time),
    free: query.get("free") === "true",
    form: read("form", /.*/),
  };
}

/** @param {State} state */
export function addressOf({ date, days, free, ...words }) {
  const query = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== ""));
  if (days === 7) query.set("days", "7");
  if (free) query.set("free", "true");
  return `/day/${date}${query.size ? `?${query}` : ""}`;
}

/** Whether no time is between the two; as an end 00:00 is that of the day. @param {State} state */
export const isBackwards = ({ from, to }) => to !== "" && to !== "00:00" && from >= to;

/** The days that are shown, with their hours. @param {State} state @returns {Page.Day[]} */
export function daysOf(state) {
  const { date, days, from, to } = state;
  const zone = shownZone();
  const first = days === 7 ? weekStart(date, FIRST_DAY) : date;
  return Array.from({ length: days }, (_, index) => addDays(first, index)).map((each) => {
    const [start, next] = [startOfDay(each, zone), startOfDay(addDays(each, 1), zone)];
    const begins = (from && momentsOf(each, from, zone)[0]) || start;
    const ends = (to && to !== "00:00" && momentsOf(each, to, zone).at(-1)) || next;
    const [low, high] = isBackwards(state) ? [start, next] : [begins, ends];
    const hours = hoursOf(each, zone)
      .map((hour) => ({ start: Math.max(hour.start, low), end: Math.min(hour.end, high) }))
      .filter((hour) => hour.start < hour.end);
    return { date: each, start: low, end: high, hours };
  }).filter((day) => day.hours.length > 0);
}

/**
 * The time lines of all resources, in as many parts as the API wants.
 *
 * @param {State} state
 * @param {number} start
 * @param {number} end
 * @param {AbortSignal} signal
 */
export async function linesOf(state, start, end, signal) {
  const { search, people, days, free } = state;
  /** @type {Api.Timeline[]} */
  let found = [];
  /** @type {string | null} */
  let page = "";
  while (page !== null) {
    /** @type {Api.Query<"/api/resources/availability/", "get">} */
    const query = { start: iso(start), end: iso(end), include: ["details", "mine"], ordering: "name", limit: limits[days] };
    if (search) query.search = search;
    if (people) query.min_capacity = Number(people);
    if (free && days === 1 && !isBackwards(state)) query.available = "true";
    try {
      /** @type {Api.Answer<"/api/resources/availability/", "get">} */
      const { body, next } = await call("get", "/api/resources/availability/", { query, page, again: true, signal });
      found.push(...body);
      page = next;
    } catch (error) {
      if (!(error instanceof Refused && error.body.end) || limits[days] < FEWEST) throw error;
      // There are too many spans.
      limits[days] = Math.ceil(limits[days] / 4);
      [found, page] = [[], ""];
    }
  }
  return found;
}

/** The beginning of the present minute: what is shown changes with each. */
export const thisMinute = () => Math.floor(Date.now() / MINUTE) * MINUTE;

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
  /** @param {{start_time: string, end_time: string}} span @param {Omit<Page.Shown, "start" | "end">} more @param {number} [from] */
  const add = (span, more, from = window.start) => {
    const start = Math.max(Date.parse(span.start_time), from);
    const end = Math.min(Date.parse(span.end_time), window.end);
    if (start < end) found.push({ ...more, start, end });
  };
  for (const span of line.busy) {
    if (span.kind === "closure") add(span, { kind: "closed", reason: span.reason ?? "" });
    else if (span.mine && span.id) add(span, { kind: "mine", id: span.id, isPending: span.status === "pending" });
    else add(span, { kind: span.status === "pending" ? "pending" : "taken" });
  }
  for (const span of line.closed) add(span, { kind: "closed", reason: span.reason });
  for (const span of line.free) add(span, { kind: "free" }, Math.max(window.start, now));
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
