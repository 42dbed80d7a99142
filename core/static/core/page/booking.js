/* The view of one booking: what it is, change it, cancel it, take that back, its history. */

import { call, Refused } from "./api.js";
import { bookingForm } from "./booking_form.js";
import { fileButton, history, holds, spanOf, whatChanged } from "./changes.js";
import { fill, h } from "./dom.js";
import { draftOf } from "./drafts.js";
import { lengthText, spanText } from "./format.js";
import { askCancel, askRevive } from "./questions.js";
import { heading, loadInto, needsSignIn } from "./router.js";
import { say } from "./say.js";
import { current } from "./session.js";
import { shownZone, watchZone } from "./shown.js";
import { W } from "./words.js";
import { dateAt } from "./zones.js";

/** @type {Page.View} */
export function bookingView(container, { params: [number] }) {
  const id = Number(number);
  if (needsSignIn(container, W.booking)) return undefined;
  /** @type {Api.Booking | null} */
  let booking = null;
  /** @type {string | null} */
  let etag = null;
  /** @type {Page.Form | null} */
  let form = null;
  /** @type {() => void} */
  let leaveForm = () => undefined;

  const facts = h("dl", { class: "facts" });
  const acts = h("div", { class: "acts" });
  const change = h("div", { class: "change" });
  const past = h("div", { class: "change" });
  const section = h("section", { class: "narrow card" });

  const show = () => {
    if (!booking) return;
    const span = spanOf(booking);
    const isOther = booking.username !== current()?.username;
    fill(facts,
      h("dt", {}, W.resource), h("dd", {}, h("a", { href: `/resources/${booking.resource}` }, booking.resource_name)),
      h("dt", {}, W.when), h("dd", {}, spanText(span, shownZone()), ` (${lengthText(span.end - span.start)})`),
      h("dt", {}, W.zone), h("dd", {}, shownZone()),
      h("dt", {}, W.status), h("dd", {}, h("span", { class: `status ${booking.status}` }, W.statuses[booking.status])),
      booking.series ? [h("dt", {}, W.series), h("dd", {}, h("a", { href: `/series/${booking.series}` }, W.partOfSeries))] : null,
      isOther && [h("dt", {}, W.bookedBy), h("dd", {}, booking.username)],
      booking.notes ? [h("dt", {}, W.notes), h("dd", { class: "text" }, booking.notes)] : null);
    const isOver = span.end <= Date.now();
    const about = { container, booking, etag, onStale: takeCurrent, onDone: done };
    fill(acts,
      holds(booking) && !isOver && !form && [
        h("button", { type: "button", onclick: () => openChange() }, W.move),
        h("button", { type: "button", class: "danger", onclick: () => askCancel(about) }, W.cancel),
      ],
      booking.status === "cancelled" && !isOver && h("button", { type: "button", onclick: () => askRevive(about) }, W.revive),
      h("a", { class: "button", href: `/day/${dateAt(span.start, shownZone())}` }, W.dayOfBooking),
      holds(booking) && fileButton("bookings", id),
      h("button", { type: "button", "aria-expanded": String(past.hasChildNodes()), onclick: showHistory }, W.history));
  };

  /** Takes what a 412 shows; says what somebody else changed. @param {Refused} error @param {Api.Booking | null} [before] */
  const takeCurrent = (error, before = booking) => {
    // What a 412 shows does not tell the series.
    booking = { ...error.body.current, series: before?.series };
    etag = error.etag;
    show();
    return before && booking ? whatChanged(before, booking) : "";
  };

  /** @param {string} words */
  const done = async (words) => {
    await load.attempt();
    say(words);
    /** @type {HTMLElement | null} */ (section.querySelector("h1"))?.focus();
  };

  const showHistory = () => {
    const shown = past.hasChildNodes() ? null : history(id);
    fill(past, shown?.element);
    acts.lastElementChild?.setAttribute("aria-expanded", String(shown !== null));
    shown?.focus();
  };

  // --- Change ---------------------------------------------------------------------------------------------------------

  const openChange = async () => {
    if (!booking || form) return;
    const known = booking;
    form = bookingForm({
      resources: [{ id: known.resource, name: known.resource_name }],
      wanted: { resource: known.resource, ...spanOf(known), notes: known.notes ?? "" },
      changed: { booking: known, etag },
      onDone(_, words) {
        leaveForm();
        closeChange();
        done(words);
      },
      onStale: (error, before) => `${W.changedMeanwhile} ${takeCurrent(error, before)}`,
    });
    leaveForm();
    leaveForm = form.leave;
    const { close: giveUp } = form;
    const close = h("button", { type: "button", class: "quiet", onclick: () => {
      giveUp();
      closeChange();
      show();
    } }, W.close);
    fill(change, h("h2", {}, W.move), form.element, close);
    show();
    /** @type {HTMLElement | null} */ (form.element.querySelector("input[name=start]"))?.focus();
  };

  const closeChange = () => {
    form = null;
    fill(change);
  };

  // --- Load -----------------------------------------------------------------------------------------------------------

  const load = loadInto(container, section, W.booking, async (signal) => {
    const answer = await call("get", "/api/bookings/{id}/", { params: { id }, query: { include: ["series"] }, signal });
    [booking, etag] = [answer.body, answer.etag];
    fill(past);
    fill(section, heading(W.booking), facts, acts, change, past);
    show();
    if (draftOf(id)) openChange();
  }, W.noBooking);
  const unwatch = watchZone(() => {
    fill(past);
    show();
  });

  return () => {
    leaveForm();
    load.stop();
    unwatch();
  };
}
