/* What would become of each date of a series. */

import { fill, h } from "./dom.js";
import { spanText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";
import { spanOf } from "./changes.js";

/**
 * @param {HTMLElement} place
 * @param {Api.DateVerdict[]} dates None: nothing is shown.
 */
export function showVerdicts(place, dates) {
  if (!dates.length) {
    fill(place);
    return;
  }
  const zone = shownZone();
  fill(place, h("div", { class: "verdicts", role: "region", tabindex: "0", "aria-label": W.eachDate },
    h("ul", {}, dates.map((date) => {
      const when = date.start_time && date.end_time
        ? spanText(spanOf({ start_time: date.start_time, end_time: date.end_time }), zone)
        : date.local_start.replace("T", " ");
      const free = date.suggestion && W.freeInstead(spanText(spanOf(date.suggestion), zone));
      return h("li", { class: date.code ? "refused" : "" }, h("span", { class: "when" }, when), " ",
        h("span", { class: "what" }, date.code ? [date.detail, free].filter(Boolean).join(" ") : W.possible));
    }))));
}
