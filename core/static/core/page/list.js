/* The day as a list: on a narrow screen, for screen readers, and for whoever asks for it. */

import { h } from "./dom.js";
import { dayText, spanText } from "./format.js";
import { spansOf, wantedAt } from "./spans.js";
import { W } from "./words.js";

/**
 * @param {Api.Timeline[]} lines
 * @param {Page.Day[]} days
 * @param {string} zone
 * @param {(wanted: Page.Wanted) => void} onWanted
 */
export function makeList(lines, days, zone, onWanted) {
  const now = Date.now();

  /** @param {Api.Timeline} line @param {Page.Day} day @param {Page.Shown} span */
  const entry = (line, day, span) => {
    const when = spanText(span, zone, day.date);
    const told = span.kind === "mine" && span.isPending ? W.minePending : W.kinds[span.kind];
    const words = [h("span", { class: "when" }, when), h("span", { class: "what" }, span.reason ? `${told}: ${span.reason}` : told)];
    const name = `span ${span.kind} ${span.isPending ? "waits" : ""}`;
    if (span.kind === "mine") return h("li", {}, h("a", { class: name, href: `/bookings/${span.id}` }, words));
    if (span.kind !== "free") return h("li", {}, h("div", { class: name }, words));
    const press = () => onWanted({ resource: line.resource, ...wantedAt(span, null, zone, Date.now()) });
    return h("li", {}, h("button", { type: "button", class: name, onclick: press }, words,
      h("span", { class: "book" }, W.book, h("span", { class: "unseen" }, ` ${line.resource_name}`))));
  };

  return h("div", { class: "list" }, lines.map((line) => h("section", { class: "line" },
    h("h2", {}, h("a", { href: `/resources/${line.resource}` }, line.resource_name), " ",
      h("small", {}, line.is_available === false ? W.outOfService : W.holds(line.capacity ?? 1))),
    days.map((day) => [
      days.length > 1 ? h("h3", {}, dayText(day.date)) : null,
      h("ul", {}, spansOf(line, day, now).map((span) => entry(line, day, span))),
    ]).flat())));
}
