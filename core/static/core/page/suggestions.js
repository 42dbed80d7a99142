/* What could be booked instead, as buttons. */

import { fill, h } from "./dom.js";
import { spanText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

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
