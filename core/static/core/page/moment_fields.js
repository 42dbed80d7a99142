/* Fields for a start and an end: day, time, end or length, in the zone shown. */

import { field, h } from "./dom.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";
import { addDays, dateAt, isDate, MINUTE, momentsOf, offsetText, timeAt } from "./zones.js";

/**
 * @param {(words: string) => void} onProblem Told with each change; empty when the fields mean a span.
 * @param {() => void} onChange
 */
export function momentFields(onProblem, onChange) {
  const day = h("input", { type: "date", name: "day", required: true, max: "9999-12-31" });
  const start = h("input", { type: "time", name: "start", required: true });
  const endDay = h("input", { type: "date", name: "end_day", required: true, max: "9999-12-31" });
  const end = h("input", { type: "time", name: "end", required: true });
  const length = h("input", { type: "number", name: "length", min: "1", max: "2629440", step: "1", inputmode: "numeric" });
  const whichStart = h("select", { name: "which_start" });
  const whichEnd = h("select", { name: "which_end" });
  const startChoice = field(W.firstOrSecond, whichStart);
  const endChoice = field(W.firstOrSecond, whichEnd);
  startChoice.hidden = endChoice.hidden = true;
  /** @type {number | null} */
  let from = null;
  /** @type {number | null} */
  let until = null;
  // The day before the one that is typed; an end on it goes along.
  let lastDay = "";
  // The end before the one that is typed, and whether somebody chose its day.
  let lastEnd = "";
  let isChosen = false;

  /**
   * What a day and a time mean: the moment, or null. A time that the clock shows twice has a choice.
   *
   * @param {HTMLInputElement} date @param {HTMLInputElement} time
   * @param {HTMLSelectElement} which @param {HTMLElement} choice
   */
  const read = (date, time, which, choice) => {
    const isWhole = isDate(date.value) && /^[0-9]{2}:[0-9]{2}/.test(time.value);
    const moments = isWhole ? momentsOf(date.value, time.value.slice(0, 5), shownZone()) : [];
    choice.hidden = moments.length < 2;
    const chosen = which.selectedIndex;
    which.replaceChildren(...moments.map((moment, index) =>
      h("option", { value: index }, `${time.value} ${offsetText(moment, shownZone())}`)));
    which.selectedIndex = Math.min(Math.max(chosen, 0), moments.length - 1);
    return moments[which.selectedIndex] ?? moments[0] ?? null;
  };

  /** @param {HTMLInputElement} date @param {HTMLInputElement} time */
  const isSkipped = (date, time) => isDate(date.value) && time.value !== "" &&
    momentsOf(date.value, time.value.slice(0, 5), shownZone()).length === 0;

  const problem = () => {
    if (isSkipped(day, start)) return W.skipped(start.value, day.value);
    if (isSkipped(endDay, end)) return W.skipped(end.value, endDay.value);
    if (from === null || until === null) return W.incomplete;
    return until <= from ? W.endFirst : "";
  };

  /** @param {number} moment @param {HTMLInputElement} date @param {HTMLInputElement} time
   *  @param {HTMLSelectElement} which @param {HTMLElement} choice */
  const write = (moment, date, time, which, choice) => {
    date.value = dateAt(moment, shownZone());
    time.value = timeAt(moment, shownZone());
    const whole = Math.floor(moment / MINUTE) * MINUTE;
    const index = momentsOf(date.value, time.value, shownZone()).indexOf(whole);
    which.replaceChildren(h("option"), h("option"));
    which.selectedIndex = Math.max(0, index);
    read(date, time, which, choice);
  };

  /** Writes the moments that there are by the clock of the zone, and reads the others. @param {Page.Moments} span */
  const place = (span) => {
    if (span.start !== null) write(span.start, day, start, whichStart, startChoice);
    if (span.end !== null) write(span.end, endDay, end, whichEnd, endChoice);
    else if (endDay.value === lastDay) endDay.value = day.value;
    from = span.start ?? read(day, start, whichStart, startChoice);
    until = span.end ?? read(endDay, end, whichEnd, endChoice);
    [lastDay, lastEnd] = [day.value, end.value];
    writeLength();
    onProblem(problem());
  };

  const writeLength = () => {
    length.value = from !== null && until !== null && until > from ? String(Math.round((until - from) / MINUTE)) : "";
  };

  const told = () => {
    lastEnd = end.value;
    onProblem(problem());
    onChange();
  };

  // A later start takes the end with it.
  const startChanged = () => {
    const before = from !== null && until !== null && until > from ? until - from : null;
    from = read(day, start, whichStart, startChoice);
    if (from !== null && before !== null) {
      until = from + before;
      write(until, endDay, end, whichEnd, endChoice);
    } else if (endDay.value === "" || endDay.value === lastDay) {
      endDay.value = day.value;
      until = read(endDay, end, whichEnd, endChoice);
    }
    lastDay = day.value;
    writeLength();
    told();
  };
  const endChanged = () => {
    until = read(endDay, end, whichEnd, endChoice);
    writeLength();
    told();
  };
  const endDayChanged = () => {
    isChosen = true;
    endChanged();
  };
  // An end that is earlier by the clock is that of the next day, until it is later; a day that was chosen stays.
  const endTimeChanged = () => {
    if (endDay.value === day.value && end.value && start.value && end.value < start.value && isDate(day.value)) {
      endDay.value = addDays(day.value, 1);
      isChosen = false;
    } else if (!isChosen && isDate(day.value) && endDay.value === addDays(day.value, 1) &&
      lastEnd < start.value && end.value > start.value) {
      endDay.value = day.value;
    }
    endChanged();
  };
  const lengthChanged = () => {
    const minutes = Number(length.value);
    if (from === null || !Number.isInteger(minutes) || minutes < 1) {
      told();
      return;
    }
    until = from + minutes * MINUTE;
    write(until, endDay, end, whichEnd, endChoice);
    told();
  };
  for (const each of [day, start, whichStart]) each.addEventListener("change", startChanged);
  endDay.addEventListener("change", endDayChanged);
  whichEnd.addEventListener("change", endChanged);
  end.addEventListener("change", endTimeChanged);
  length.addEventListener("input", lengthChanged);

  return {
    elements: [
      field(W.day, day, { className: "wide" }), field(W.start, start), startChoice,
      field(W.end, end), endChoice, field(W.endDay, endDay), field(W.length, length),
    ],
    first: start,
    problem,
    /** @returns {Page.Moments} */
    span: () => ({ start: from, end: until }),
    /** @param {{start: number, end: number}} span Seconds of a moment stay, as long as nobody types. */
    set: place,
    /** Writes the same moments by the clock of the zone that is shown now. */
    rewrite: () => place({ start: from, end: until }),
    /** @returns {Record<string, string>} */
    typed: () => ({ day: day.value, start: start.value, end_day: endDay.value, end: end.value }),
    /** @param {Record<string, string>} typed @param {Page.Moments} span The moments that were meant, where there were any. */
    restore(typed, span) {
      [day.value, start.value] = [typed.day ?? "", typed.start ?? ""];
      [endDay.value, end.value] = [typed.end_day ?? "", typed.end ?? ""];
      lastDay = day.value;
      place(span);
    },
  };
}
