/* Moments and wall time in any IANA zone, by Intl alone. Pure: no document, no present time.

A moment is a number of milliseconds since 1970, a date is a text `2027-03-15`, and a time of day is a text `09:30`. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/** @param {string} zone */
function clockOf(zone) {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, calendar: "iso8601", numberingSystem: "latn", hourCycle: "h23", era: "short",
      year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/**
 * Whether there is such a time zone.
 *
 * @param {string} name
 */
export function isZone(name) {
  // An offset such as +02:00 is no zone of the IANA.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return Boolean(clockOf(name));
  } catch {
    return false;
  }
}

/** The name of a zone as the IANA spells it; one of its other names stays. @param {string} name */
export function spelt(name) {
  const { timeZone } = clockOf(name).resolvedOptions();
  return timeZone.toLowerCase() === name.toLowerCase() || !/^[A-Z]/.test(name) ? timeZone : name;
}

/** The names of the time zones that the browser knows. */
export function zoneNames() {
  const names = Intl.supportedValuesOf("timeZone");
  return names.includes("UTC") ? names : ["UTC", ...names];
}

/**
 * What the clock of the zone shows, as if it were UTC.
 *
 * @param {number} moment
 * @param {string} zone
 */
function wallOf(moment, zone) {
  /** @type {Record<string, string>} */
  const parts = {};
  for (const { type, value } of clockOf(zone).formatToParts(moment)) parts[type] = value;
  const year = parts.era?.startsWith("B") ? 1 - Number(parts.year) : Number(parts.year);
  const wall = new Date(0);
  wall.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  wall.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
  return wall.getTime();
}

/**
 * How far the zone is ahead of UTC, in milliseconds.
 *
 * @param {number} moment
 * @param {string} zone
 */
export function offsetAt(moment, zone) {
  return wallOf(moment, zone) - Math.floor(moment / 1000) * 1000;
}

/**
 * @param {number} moment
 * @param {string} zone
 */
export function dateAt(moment, zone) {
  return new Date(wallOf(moment, zone)).toISOString().slice(0, 10);
}

/**
 * @param {number} moment
 * @param {string} zone
 */
export function timeAt(moment, zone) {
  return new Date(wallOf(moment, zone)).toISOString().slice(11, 16);
}

/**
 * Whether the calendar has the date; 2027-02-31 is none.
 *
 * @param {string} text
 */
export function isDate(text) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/**
 * @param {string} date
 * @param {number} days
 */
export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/**
 * The day of the week, 1 for Monday to 7 for Sunday.
 *
 * @param {string} date
 */
export function weekday(date) {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
}

/**
 * The first day of the week of the date.
 *
 * @param {string} date
 * @param {number} firstDay 1 for Monday to 7 for Sunday.
 */
export function weekStart(date, firstDay) {
  return addDays(date, -((weekday(date) - firstDay + 7) % 7));
}

/**
 * The moments at which the clock of the zone shows the time: one, two where the clock is turned back, none where it
 * skips the time.
 *
 * @param {string} date
 * @param {string} time
 * @param {string} zone
 */
export function momentsOf(date, time, zone) {
  const wall = Date.parse(`${date}T${time}Z`);
  const offsets = new Set([wall - DAY, wall, wall + DAY].map((each) => offsetAt(each, zone)));
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((moment) => wallOf(moment, zone) === wall)
    .sort((one, other) => one - other);
}

/**
 * The first moment of the day: midnight, or the first time after it that the clock shows.
 *
 * @param {string} date
 * @param {string} zone
 */
export function startOfDay(date, zone) {
  const [midnight] = momentsOf(date, "00:00", zone);
  if (midnight !== undefined) return midnight;
  const wall = Date.parse(`${date}T00:00:00Z`);
  return firstMoment(wall - DAY, wall + DAY, (moment) => wallOf(moment, zone) >= wall);
}

/**
 * The first moment in `(low, high]` from which on a condition holds, to the second.
 *
 * @param {number} low
 * @param {number} high
 * @param {(moment: number) => boolean} holds
 */
function firstMoment(low, high, holds) {
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (middle <= low) break;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** @typedef {{start: number, end: number}} Span */

/**
 * The hours of a day: each begins at a full hour of the clock, or where the clock is changed. So a day has 23 or 25
 * of them in Berlin when the clock is changed there, and one of half an hour on Lord Howe.
 *
 * @param {string} date
 * @param {string} zone
 * @returns {Span[]}
 */
export function hoursOf(date, zone) {
  const start = startOfDay(date, zone);
  const end = startOfDay(addDays(date, 1), zone);
  const bounds = [start];
  let last = start;
  while (last < end) {
    const offset = offsetAt(last, zone);
    const wall = last + offset;
    let next = (Math.floor(wall / HOUR) + 1) * HOUR - offset;
    if (offsetAt(next, zone) !== offset) {
      next = firstMoment(last, next, (moment) => offsetAt(moment, zone) !== offset);
    }
    last = Math.min(next, end);
    bounds.push(last);
  }
  return bounds.slice(1).map((bound, index) => ({ start: /** @type {number} */ (bounds[index]), end: bound }));
}

/**
 * Whether the clock is changed in the span.
 *
 * @param {Span} span
 * @param {string} zone
 */
export function isClockChange({ start, end }, zone) {
  return offsetAt(start, zone) !== offsetAt(end - 1, zone);
}

/**
 * The offset of the zone as people write it: `UTC+2`, `UTC+10:30`, `UTC`.
 *
 * @param {number} moment
 * @param {string} zone
 */
export function offsetText(moment, zone) {
  const minutes = Math.round(offsetAt(moment, zone) / MINUTE);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/**
 * The moment as the API writes it.
 *
 * @param {number} moment
 */
export function iso(moment) {
  return new Date(moment).toISOString().replace(".000Z", "Z");
}
