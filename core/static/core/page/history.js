/* What was done to a booking, newest first. */

import { call } from "./api.js";
import { append, fill, h } from "./dom.js";
import { changesOf } from "./changes.js";
import { momentText } from "./format.js";
import { wordsOf } from "./say.js";
import { current } from "./session.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

/** @param {Api.Act} act */
function entry(act) {
  /** @type {Record<string, string>} */
  const kinds = W.acts;
  const who = act.actor === null ? W.parts[act.part] : act.actor === current()?.username ? W.you : act.actor;
  const changes = changesOf(act);
  return h("li", {},
    h("strong", {}, kinds[act.kind] ?? act.kind), " ",
    h("span", { class: "hint" }, W.actOf(momentText(Date.parse(act.at), shownZone()), who)),
    act.reason ? h("p", { class: "text" }, W.because(act.reason)) : null,
    changes.length ? h("ul", {}, changes.map((each) => h("li", {}, each))) : null);
}

/**
 * The history, page by page.
 *
 * @param {number} id Of the booking.
 */
export function history(id) {
  const title = h("h2", { tabindex: "-1" }, W.history);
  const acts = h("ol", { class: "history" });
  const told = h("p", { class: "told bad", role: "status" });
  const more = h("button", { type: "button", hidden: true, onclick: () => load(next) }, W.more);
  /** @type {string | null} */
  let next = null;

  /** @param {string | null} page */
  const load = async (page) => {
    fill(told);
    try {
      const answer = await call("get", "/api/bookings/{id}/history/", { params: { id }, page });
      append(acts, answer.body.map(entry));
      next = answer.next;
    } catch (error) {
      next = page;
      fill(told, wordsOf(error));
    }
    more.hidden = next === null;
  };
  const loaded = load(null);
  return { element: h("section", {}, title, acts, told, more), focus: () => loaded.then(() => title.focus()) };
}
