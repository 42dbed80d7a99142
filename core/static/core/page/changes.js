/* What is told of a booking: what changed between two of its states and by each act of its history; its calendar file. */

import { call } from "./api.js";
import { append, fill, h } from "./dom.js";
import { momentText, spanText } from "./format.js";
import { say, wordsOf } from "./say.js";
import { current } from "./session.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

/** @param {{start_time: string, end_time: string}} booking */
export const spanOf = ({ start_time, end_time }) => ({ start: Date.parse(start_time), end: Date.parse(end_time) });

/** Whether it holds its time. @param {{status: string | null}} booking */
export const holds = ({ status }) => status === "pending" || status === "confirmed";

/**
 * What a 412 says: which fields somebody else changed.
 *
 * @param {Api.Booking} before
 * @param {Api.Booking} now
 */
export function whatChanged(before, now) {
  const changes = [];
  const zone = shownZone();
  if (before.resource !== now.resource) changes.push(W.changedField(W.resource, before.resource_name, now.resource_name));
  const [old, fresh] = [spanText(spanOf(before), zone), spanText(spanOf(now), zone)];
  if (old !== fresh) changes.push(W.changedField(W.when, old, fresh));
  if (before.status !== now.status) changes.push(W.changedField(W.status, W.statuses[before.status], W.statuses[now.status]));
  if (before.notes !== now.notes) changes.push(W.changedField(W.notes, before.notes || W.none, now.notes || W.none));
  return changes.join(" ");
}

/** @param {Record<string, string>} words @param {unknown} name The name itself where there is no word for it. */
const wordFor = (words, name) => words[String(name)] ?? String(name);

/** @param {string} name Of a field. @param {unknown} value */
function valueText(name, value) {
  if (value === null || value === "") return W.none;
  if (name.endsWith("_time")) return momentText(Date.parse(String(value)), shownZone());
  return name === "status" ? wordFor(W.statuses, value) : String(value);
}

/** @param {Api.Act} act */
function entry({ kind, at, actor, part, reason, changes }) {
  const who = actor === null ? W.parts[part] : actor === current()?.username ? W.you : actor;
  const told = kind === "booking.created" ? [] : Object.entries(changes).filter(([name]) => name in W.fields);
  return h("li", {},
    h("strong", {}, wordFor(W.acts, kind)), " ", h("span", { class: "hint" }, W.actOf(momentText(Date.parse(at), shownZone()), who)),
    reason ? h("p", { class: "text" }, W.because(reason)) : null,
    h("ul", {}, told.map(([name, [before, after]]) =>
      h("li", {}, W.changedTo(wordFor(W.fields, name), valueText(name, before), valueText(name, after))))));
}

/** The history, newest first, page by page. @param {number} id Of the booking. */
export function history(id) {
  const title = h("h2", { tabindex: "-1" }, W.history);
  const acts = h("ol", { class: "history" });
  const told = h("p", { class: "error", role: "status" });
  const more = h("button", { type: "button", hidden: true, onclick: () => load() }, W.more);
  /** @type {string | null} */
  let next = null;

  const load = async () => {
    fill(told);
    const page = next;
    try {
      const answer = await call("get", "/api/bookings/{id}/history/", { params: { id }, page });
      // Pressed twice, the page is there already.
      if (page !== next) return;
      append(acts, answer.body.map(entry));
      next = answer.next;
      more.hidden = next === null;
    } catch (error) {
      fill(told, wordsOf(error));
      more.hidden = false;
    }
  };
  const loaded = load();
  return { element: h("section", {}, title, acts, told, more), focus: () => loaded.then(() => title.focus()) };
}

/**
 * A button that saves the calendar file, which is fetched with the token: no link could send one.
 *
 * @param {"bookings" | "series"} kind
 * @param {number} id
 */
export function fileButton(kind, id) {
  const button = h("button", { type: "button", onclick: async () => {
    if (button.disabled) return;
    button.disabled = true;
    try {
      const options = { params: { id }, isText: true };
      const answer = kind === "bookings"
        ? await call("get", "/api/bookings/{id}/calendar.ics", options)
        : await call("get", "/api/series/{id}/calendar.ics", options);
      save(String(answer.body), `${kind === "bookings" ? "booking" : "series"}-${id}.ics`);
    } catch (error) {
      say(wordsOf(error), { isBad: true });
    }
    button.disabled = false;
  } }, W.calendarFile);
  return button;
}

/**
 * @param {string} text
 * @param {string} name
 */
function save(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/calendar" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
