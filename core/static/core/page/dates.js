/* The dates of a series: which of them an act is about, what would become of each. And what could be booked instead. */

import { spanOf } from "./changes.js";
import { field, fill, h } from "./dom.js";
import { momentText, spanText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

/** @type {Api.Scope[]} */
const SCOPES = ["this", "following", "all"];

/** @param {string} [hint] @param {() => void} [onChange] */
export function scopeField(hint, onChange) {
  const control = h("select", { name: "scope", onchange: onChange }, SCOPES.map((scope) => h("option", {}, W.scopes[scope])));
  return {
    element: field(W.scope, control, { className: "wide", ...(hint ? { hint } : {}) }),
    value: () => SCOPES[control.selectedIndex] ?? "this",
    /** @param {string | undefined} scope */
    set(scope) {
      control.selectedIndex = Math.max(0, SCOPES.findIndex((each) => each === scope));
    },
  };
}

/** @param {{start_time: string | null, end_time: string | null, local_start?: string}} date */
export function dateText({ start_time, end_time, local_start: local }) {
  // A date that the clock skips is no moment: its time is shown as the clock would.
  return start_time && end_time ? spanText(spanOf({ start_time, end_time }), shownZone()) : momentText(Date.parse(`${local}Z`), "UTC");
}

/**
 * @param {HTMLElement} place
 * @param {Api.DateVerdict[]} dates None: nothing is shown.
 * @param {(local: string, start: string) => void} [take] Takes a free time in place of a date.
 */
export function showVerdicts(place, dates, take) {
  fill(place, dates.length > 0 && h("div", { class: "verdicts", role: "region", tabindex: "0", "aria-label": W.eachDate },
    h("ul", {}, dates.map((date) => h("li", { class: date.code ? "refused" : "" },
      h("strong", {}, dateText(date)), " ", h("span", {}, date.detail || W.possible),
      take && date.suggestion && takeButton(take, date.local_start, date.suggestion))))));
}

/** @param {(local: string, start: string) => void} take @param {string} local @param {{start_time: string, end_time: string}} free */
const takeButton = (take, local, free) =>
  h("button", { type: "button", onclick: () => take(local, free.start_time) }, W.takeInstead(spanText(spanOf(free), shownZone())));

/**
 * @param {HTMLElement} container
 * @param {Api.Suggestion[]} suggestions
 * @param {{books: boolean, take: (suggestion: Api.Suggestion) => void}} how `books`: one click books it; else it fills
 *   in the form.
 */
export function showSuggestions(container, suggestions, { books, take }) {
  if (!suggestions.length) {
    fill(container);
    return;
  }
  fill(container, h("p", { class: "hint" }, W.suggestions), h("ul", { class: "suggestions" }, suggestions.map((each) => {
    const span = { start: Date.parse(each.start_time), end: Date.parse(each.end_time) };
    const words = W.suggestion(each.kind, spanText(span, shownZone()), each.resource_name);
    return h("li", {}, h("button", { type: "button", class: books ? "main" : "", onclick: () => take(each) },
      books ? W.bookInstead(words) : words));
  })));
}
