/* Days and times as the reader's browser writes them, in English. */

import { dateAt, startOfDay, HOUR, MINUTE, offsetAt, offsetText } from "./zones.js";

// The words of the page are English, so dates are, too; the clock has the form that the browser asks for.
const asked = navigator.languages?.[0] ?? "en";
const LOCALE = asked.toLowerCase().startsWith("en") ? asked : "en-GB";
const { hour12 } = new Intl.DateTimeFormat(asked, { hour: "numeric" }).resolvedOptions();

/** The first day of the week where the reader is, 1 for Monday to 7 for Sunday. */
export const FIRST_DAY = firstDay();

function firstDay() {
  /** @type {any} */
  const locale = new Intl.Locale(asked);
  return locale.getWeekInfo?.().firstDay ?? locale.weekInfo?.firstDay ?? 1;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {Intl.DateTimeFormatOptions} options
 * @param {number} moment
 */
function formatted(options, moment) {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(LOCALE, options);
    formats.set(key, format);
  }
  return format.format(moment);
}

/**
 * `09:30` or `9:30 AM`.
 *
 * @param {number} moment
 * @param {string} zone
 */
export function timeText(moment, zone) {
  return formatted({ timeZone: zone, hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hour12 }, moment);
}

/**
 * The time of a column: `9 AM` and `09:00`.
 *
 * @param {number} moment
 * @param {string} zone
 */
export function hourText(moment, zone) {
  const isFull = (moment + offsetAt(moment, zone)) % HOUR === 0;
  return hour12 && isFull ? formatted({ timeZone: zone, hour: "numeric", hour12 }, moment) : timeText(moment, zone);
}

/**
 * `Monday, 15 March 2027`.
 *
 * @param {string} date
 */
export function dayText(date) {
  const options = /** @type {const} */ ({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  return formatted({ timeZone: "UTC", ...options }, Date.parse(`${date}T00:00:00Z`));
}

/**
 * `15 March 2027`.
 *
 * @param {number} moment
 * @param {string} zone
 */
export function longDateText(moment, zone) {
  return formatted({ timeZone: zone, day: "numeric", month: "long", year: "numeric" }, moment);
}

/**
 * `Mon 15 Mar`.
 *
 * @param {string} date
 */
export function shortDayText(date) {
  const options = /** @type {const} */ ({ weekday: "short", day: "numeric", month: "short" });
  return formatted({ timeZone: "UTC", ...options }, Date.parse(`${date}T00:00:00Z`));
}

/**
 * A day of the week, 1 for Monday to 7 for Sunday: `Monday`.
 *
 * @param {number} day
 */
export function weekdayText(day) {
  return formatted({ timeZone: "UTC", weekday: "long" }, Date.UTC(2024, 0, day));
}

/**
 * `Mon 15 Mar`, and in another year `Mon 15 Mar 2027`.
 *
 * @param {string} date
 */
function knownDayText(date) {
  const isThisYear = date.startsWith(`${new Date().getFullYear()}-`);
  return isThisYear ? shortDayText(date) : `${shortDayText(date)} ${date.slice(0, 4)}`;
}

/**
 * The times of a span, with its days where it is more than `date`: `09:30–10:00`, `Mon 15 Mar 23:00–Tue 16 Mar 01:00`.
 *
 * @param {{start: number, end: number}} span
 * @param {string} zone
 * @param {string} [date] The day that the reader sees; without one the days are always told.
 */
export function spanText({ start, end }, zone, date) {
  const first = dateAt(start, zone);
  const isWithin = date !== undefined && start >= startOfDay(date, zone) && dateAt(end - 1, zone) === date;
  const change = offsetAt(start, zone) !== offsetAt(end, zone);
  const from = `${timeText(start, zone)}${change ? ` ${offsetText(start, zone)}` : ""}`;
  const to = `${timeText(end, zone)}${change ? ` ${offsetText(end, zone)}` : ""}`;
  if (isWithin) return `${from}–${to}`;
  const last = dateAt(end, zone);
  if (first === last) return `${knownDayText(first)}, ${from}–${to}`;
  return `${knownDayText(first)}, ${from} – ${knownDayText(last)}, ${to}`;
}

/**
 * `Mon 15 Mar, 09:30`.
 *
 * @param {number} moment
 * @param {string} zone
 */
export function momentText(moment, zone) {
  return `${knownDayText(dateAt(moment, zone))}, ${timeText(moment, zone)}`;
}

/**
 * `2 h 30 min`.
 *
 * @param {number} milliseconds
 */
export function lengthText(milliseconds) {
  const minutes = Math.round(milliseconds / MINUTE);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean).join(" ");
}
