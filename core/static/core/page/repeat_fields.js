/* How a booking repeats: the fields, and the rule that they mean (RFC 5545, section 3.3.10). */

import { field, fill, h } from "./dom.js";
import { FIRST_DAY, weekdayText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";
import { addDays, dateAt, isDate, weekday } from "./zones.js";

const CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const MOST_DATES = 366;
const USUAL = 10;

/** @param {() => void} onChange */
export function repeatFields(onChange) {
  /** @param {Record<string, string>} choices */
  const options = (choices) => Object.entries(choices).map(([value, words]) => h("option", { value }, words));
  const often = h("select", { name: "repeat" }, options(W.often));
  const interval = h("input", { type: "number", name: "interval", min: "1", max: "999", value: "1", inputmode: "numeric" });
  const every = field("", interval);
  const days = CODES.map((_, index) => (index + FIRST_DAY - 1) % 7).map((index) => {
    const box = h("input", { type: "checkbox", name: "weekday", value: CODES[index] });
    return { index, box, element: h("label", { class: "check" }, box, h("span", {}, weekdayText(index + 1))) };
  });
  const week = h("div", { class: "wide weekdays", role: "group", "aria-label": W.onDays }, days.map((each) => each.element));
  const on = h("select", { name: "on" });
  const month = field(W.onWhich, on);
  const ends = h("select", { name: "ends" }, options(W.endsBy));
  const count = h("input", { type: "number", name: "count", min: "1", max: MOST_DATES, value: USUAL, inputmode: "numeric" });
  const number = field(W.dates, count);
  const until = h("input", { type: "date", name: "until", max: "9999-12-31" });
  const lastDay = field(W.lastDay, until);
  const skip = h("input", { type: "checkbox", name: "skip" });
  const leaveOut = h("label", { class: "check wide" }, skip, h("span", {}, W.leaveOut));
  const rest = h("div", { class: "wide repeat" }, every, month, week, field(W.ends, ends), number, lastDay, leaveOut);
  const controls = [often, interval, ends, count, until];
  const checked = () => days.filter(({ box }) => box.checked).map(({ box }) => box.value).join();

  /** The day of the first date, in the zone shown; empty while there is none. */
  let first = "";
  /** Free times that are taken in place of dates: the start by the clock, and the other one. @type {[string, string][]} */
  let swaps = [];

  const dress = () => {
    const kind = /** @type {keyof typeof W.every | ""} */ (often.value);
    rest.hidden = !kind;
    if (kind) every.firstElementChild?.replaceChildren(W.every[kind]);
    week.hidden = kind !== "WEEKLY";
    month.hidden = kind !== "MONTHLY" || !first;
    number.hidden = ends.value !== "count";
    lastDay.hidden = !number.hidden;
    // What is not seen must not stop the form.
    interval.disabled = !kind;
    count.disabled = !kind || number.hidden;
    until.disabled = !kind || lastDay.hidden;
    for (const { index, box } of days) {
      // The first date is a date of the rule; the day of another first date is chosen no more.
      const isFirst = first !== "" && index === weekday(first) - 1;
      box.checked = isFirst || (box.checked && !box.disabled);
      box.disabled = isFirst;
    }
    if (!first) return;
    const [day, name, code] = [Number(first.slice(8)), weekdayText(weekday(first)), CODES[weekday(first) - 1]];
    const nth = Math.ceil(day / 7);
    const isLast = addDays(first, 7).slice(0, 7) !== first.slice(0, 7);
    const chosen = on.selectedIndex;
    fill(on, options({
      [`BYMONTHDAY=${day}`]: W.onDay(day),
      ...(nth < 5 ? { [`BYDAY=${nth}${code}`]: W.onNth(nth, name) } : {}),
      ...(isLast ? { [`BYDAY=-1${code}`]: W.onLast(name) } : {}),
    }));
    on.selectedIndex = Math.min(Math.max(chosen, 0), on.length - 1);
  };

  const edited = () => {
    dress();
    onChange();
  };
  rest.addEventListener("input", edited);
  often.addEventListener("change", edited);
  dress();

  /** @param {HTMLInputElement} input */
  const isWhole = (input) => input.value !== "" && input.validity.valid;

  return {
    elements: [field(W.repeats, often, { className: "wide" }), rest],
    isOn: () => often.value !== "",
    /** What is missing, in words; empty when the fields mean a rule. */
    problem() {
      if (!often.value) return "";
      if (!isWhole(interval)) return W.badInterval;
      if (ends.value === "count") return isWhole(count) ? "" : W.badCount(MOST_DATES);
      return isDate(until.value) ? "" : W.badUntil;
    },
    /** Tells the first date. @param {number | null} start */
    begin(start) {
      first = start === null ? "" : dateAt(start, shownZone());
      swaps = [];
      dress();
    },
    /** Takes a free time in place of a date, until something else changes. @param {string} local @param {string} start */
    swap(local, start) {
      swaps.push([local, start]);
    },
    /** What the API reads beside a booking. @returns {Page.Rule} */
    body() {
      const rrule = [
        `FREQ=${often.value}`, `INTERVAL=${interval.value}`, !week.hidden && `BYDAY=${checked()}`, !month.hidden && on.value,
        ends.value === "count" ? `COUNT=${count.value}` : `UNTIL=${until.value.replaceAll("-", "")}`,
      ].filter(Boolean).join(";");
      const [exdates, rdates] = [swaps.map(([local]) => local), swaps.map(([, start]) => start)];
      return { rrule, exdates, rdates, time_zone: shownZone(), on_conflict: skip.checked ? "skip" : "fail" };
    },
    /** @returns {Record<string, string>} */
    typed: () => ({
      ...Object.fromEntries(controls.map(({ name, value }) => [name, value])),
      on: String(on.selectedIndex), weekdays: checked(), skip: skip.checked ? "skip" : "", swaps: JSON.stringify(swaps),
    }),
    /** After `begin`. @param {Record<string, string>} typed */
    restore(typed) {
      for (const each of controls) each.value = typed[each.name] ?? each.value;
      skip.checked = Boolean(typed.skip);
      for (const { box } of days) box.checked ||= typed.weekdays?.includes(box.value) ?? false;
      dress();
      on.selectedIndex = Number(typed.on ?? 0);
      swaps = JSON.parse(typed.swaps ?? "[]");
    },
  };
}
