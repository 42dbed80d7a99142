/* How a booking repeats: the fields, and the rule that they mean (RFC 5545, section 3.3.10). */

import { field, fill, h } from "./dom.js";
import { FIRST_DAY, weekdayText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";
import { dateAt, isDate, weekday } from "./zones.js";

const CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const MOST_DATES = 366;
const USUAL = 10;

/** @typedef {keyof typeof W.every} Frequency */

/** @param {string} date The place of the day in its month, 1 to 5. */
const nthOf = (date) => Math.ceil(Number(date.slice(8)) / 7);

/** @param {string} date */
function isInLastWeek(date) {
  const [year, month, day] = date.split("-").map(Number);
  return Number(day) + 7 > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

/**
 * @param {() => void} onChange
 */
export function repeatFields(onChange) {
  const often = h("select", { name: "repeat" }, h("option", { value: "" }, W.never),
    Object.entries(W.often).map(([value, words]) => h("option", { value }, words)));
  const interval = h("input", { type: "number", name: "interval", min: "1", max: "999", value: "1", inputmode: "numeric" });
  const every = field("", interval);
  const order = CODES.map((_, index) => (index + FIRST_DAY - 1) % 7);
  const days = order.map((index) => {
    const box = h("input", { type: "checkbox", name: "weekday", value: CODES[index] });
    return { index, box, element: h("label", { class: "check" }, box, h("span", {}, weekdayText(index + 1))) };
  });
  const week = h("div", { class: "wide weekdays", role: "group", "aria-label": W.onDays }, days.map((each) => each.element));
  const on = h("select", { name: "on" });
  const month = field(W.onWhich, on);
  const ends = h("select", { name: "ends" }, h("option", { value: "count" }, W.endsAfter), h("option", { value: "until" }, W.endsOn));
  const count = h("input", { type: "number", name: "count", min: "1", max: MOST_DATES, value: USUAL, inputmode: "numeric" });
  const until = h("input", { type: "date", name: "until", max: "9999-12-31" });
  const number = field(W.dates, count);
  const lastDay = field(W.lastDay, until);
  const skip = h("input", { type: "checkbox", name: "skip" });
  const leaveOut = h("label", { class: "check wide" }, skip, h("span", {}, W.leaveOut));
  const rest = h("div", { class: "wide repeat", hidden: true }, every, month, week, field(W.ends, ends), number, lastDay, leaveOut);

  /** The day of the first date, in the zone shown. */
  let first = "";

  /** @returns {Frequency | ""} */
  const frequency = () => /** @type {Frequency | ""} */ (often.value);

  const monthly = () => {
    const kind = on.selectedIndex;
    const code = CODES[weekday(first) - 1];
    const name = weekdayText(weekday(first));
    const choices = [[`BYMONTHDAY=${Number(first.slice(8))}`, W.onDay(Number(first.slice(8)))]];
    if (nthOf(first) < 5) choices.push([`BYDAY=${nthOf(first)}${code}`, W.onNth(nthOf(first), name)]);
    if (isInLastWeek(first)) choices.push([`BYDAY=-1${code}`, W.onLast(name)]);
    fill(on, choices.map(([value, words]) => h("option", { value }, words)));
    on.selectedIndex = Math.min(Math.max(kind, 0), choices.length - 1);
  };

  const dress = () => {
    const kind = frequency();
    rest.hidden = !kind;
    if (!kind) return;
    fill(/** @type {HTMLElement} */ (every.querySelector("label")), W.every[kind]);
    week.hidden = kind !== "WEEKLY";
    month.hidden = kind !== "MONTHLY" || !first;
    number.hidden = ends.value !== "count";
    lastDay.hidden = ends.value !== "until";
    for (const { index, box } of days) {
      // The first date is a date of the rule.
      const isFirst = first !== "" && index === weekday(first) - 1;
      if (box.disabled && !isFirst) box.checked = false;
      if (isFirst) box.checked = true;
      box.disabled = isFirst;
    }
    if (first) monthly();
  };

  const edited = () => {
    dress();
    onChange();
  };
  rest.addEventListener("change", edited);
  often.addEventListener("change", edited);

  /** @param {HTMLInputElement} input */
  const isWhole = (input) => input.validity.valid && Number.isInteger(Number(input.value)) && input.value !== "";

  const rule = () => {
    const parts = [`FREQ=${frequency()}`];
    if (interval.value !== "1") parts.push(`INTERVAL=${interval.value}`);
    if (frequency() === "WEEKLY") parts.push(`BYDAY=${days.filter(({ box }) => box.checked).map(({ box }) => box.value).join(",")}`);
    if (frequency() === "MONTHLY") parts.push(on.value);
    parts.push(ends.value === "count" ? `COUNT=${count.value}` : `UNTIL=${until.value.replaceAll("-", "")}`);
    return parts.join(";");
  };

  return {
    elements: [field(W.repeats, often, { className: "wide" }), rest],
    isOn: () => frequency() !== "",
    /** What is missing, in words; empty when the fields mean a rule. */
    problem() {
      if (!frequency()) return "";
      if (!isWhole(interval)) return W.badInterval;
      if (ends.value === "count") return isWhole(count) ? "" : W.badCount(MOST_DATES);
      return isDate(until.value) ? "" : W.badUntil;
    },
    /** Tells the first date. @param {number | null} start */
    begin(start) {
      first = start === null ? "" : dateAt(start, shownZone());
      dress();
    },
    /** What the API reads beside a booking. */
    body: () => ({
      rrule: rule(), time_zone: shownZone(), on_conflict: skip.checked ? /** @type {const} */ ("skip") : /** @type {const} */ ("fail"),
    }),
    /** @returns {Record<string, string>} */
    typed: () => ({
      repeat: often.value, interval: interval.value, ends: ends.value, count: count.value, until: until.value, on: String(on.selectedIndex),
      weekdays: days.filter(({ box }) => box.checked).map(({ box }) => box.value).join(), skip: skip.checked ? "skip" : "",
    }),
    /** After `begin`. @param {Record<string, string>} typed */
    restore(typed) {
      often.value = typed.repeat ?? "";
      interval.value = typed.interval ?? "1";
      ends.value = typed.ends ?? "count";
      count.value = typed.count ?? String(USUAL);
      until.value = typed.until ?? "";
      skip.checked = typed.skip === "skip";
      for (const { box } of days) box.checked = (typed.weekdays ?? "").split(",").includes(box.value);
      dress();
      on.selectedIndex = Math.max(0, Number(typed.on ?? 0));
    },
  };
}
