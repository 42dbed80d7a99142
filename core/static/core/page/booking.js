/* The view of one booking: what it is, cancel it, change it. */

import { call, Refused } from "./api.js";
import { bookingForm } from "./booking_form.js";
import { fill, h, newId } from "./dom.js";
import { draftOf, dropDraft } from "./drafts.js";
import { lengthText, spanText } from "./format.js";
import { askSignIn, heading, nowhere } from "./router.js";
import { persistently, say, wordsOf } from "./say.js";
import { current } from "./session.js";
import { shownZone, watchZone } from "./shown.js";
import { W } from "./words.js";
import { dateAt } from "./zones.js";

/** @param {Api.Booking} booking */
const spanOf = (booking) => ({ start: Date.parse(booking.start_time), end: Date.parse(booking.end_time) });

/** @type {Page.View} */
export function bookingView(container, { params: [number] }) {
  const id = Number(number);
  if (!current()) {
    // Only who is signed in may see it; the address is returned to.
    queueMicrotask(askSignIn);
    fill(container, heading(W.booking));
    return undefined;
  }
  /** @type {Api.Booking | null} */
  let booking = null;
  /** @type {string | null} */
  let etag = null;
  /** @type {Page.Form | null} */
  let form = null;

  const facts = h("dl", { class: "facts" });
  const acts = h("div", { class: "acts" });
  const change = h("div", { class: "change" });
  const section = h("section", { class: "narrow card" });

  const show = () => {
    if (!booking) return;
    const span = spanOf(booking);
    const isOther = booking.username !== current()?.username;
    fill(facts,
      h("dt", {}, W.resource), h("dd", {}, h("a", { href: `/resources/${booking.resource}` }, booking.resource_name)),
      h("dt", {}, W.when), h("dd", {}, spanText(span, shownZone()), ` (${lengthText(span.end - span.start)})`),
      h("dt", {}, W.zone), h("dd", {}, shownZone()),
      h("dt", {}, W.status), h("dd", {}, h("span", { class: `status ${booking.status}` }, W.statuses[booking.status ?? "pending"])),
      isOther && [h("dt", {}, W.bookedBy), h("dd", {}, booking.username)],
      booking.notes ? [h("dt", {}, W.notes), h("dd", { class: "text" }, booking.notes)] : null);
    const holds = booking.status === "pending" || booking.status === "confirmed";
    const isOver = span.end <= Date.now();
    fill(acts,
      holds && !isOver && !form && [
        h("button", { type: "button", onclick: () => openChange() }, W.move),
        h("button", { type: "button", class: "danger", onclick: () => askCancel() }, W.cancel),
      ],
      h("a", { class: "button", href: `/day/${dateAt(span.start, shownZone())}` }, W.dayOfBooking));
  };

  // --- Change ---------------------------------------------------------------------------------------------------------

  const openChange = async () => {
    if (!booking || form) return;
    const known = booking;
    form = bookingForm({
      resources: [{ id: known.resource, name: known.resource_name }],
      wanted: { resource: known.resource, ...spanOf(known), notes: known.notes ?? "" },
      changed: { booking: known, etag },
      onDone(changed, tag) {
        closeChange();
        [booking, etag] = [changed, tag];
        show();
        say(W.moved);
        /** @type {HTMLElement | null} */ (section.querySelector("h1"))?.focus();
      },
      onStale(error) {
        const before = booking;
        [booking, etag] = [error.body.current, error.etag];
        show();
        return before && booking ? whatChanged(before, booking) : error.message;
      },
    });
    const close = h("button", { type: "button", class: "quiet", onclick: () => {
      dropDraft();
      closeChange();
      show();
    } }, W.close);
    fill(change, h("h2", {}, W.move), form.element, close);
    show();
    /** @type {HTMLElement | null} */ (form.element.querySelector("input[name=start]"))?.focus();
  };

  const closeChange = () => {
    form?.leave();
    form = null;
    fill(change);
  };

  // --- Cancel ---------------------------------------------------------------------------------------------------------

  const askCancel = () => {
    const title = h("h2", { id: newId() }, W.cancelSure);
    const told = h("p", { class: "told bad", role: "alert" });
    const yes = h("button", { type: "button", class: "danger", onclick: async () => {
      if (yes.disabled) return;
      yes.disabled = true;
      try {
        await call("delete", "/api/bookings/{id}/", { params: { id }, ...(etag ? { ifMatch: etag } : {}) });
        dialog.close();
        await load.attempt();
        say(W.cancelled);
      } catch (error) {
        yes.disabled = false;
        if (error instanceof Refused && error.status === 412) {
          [booking, etag] = [error.body.current, error.etag];
          show();
          fill(told, W.changedBefore);
        } else {
          fill(told, wordsOf(error));
        }
      }
    } }, W.yesCancel);
    const keep = h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, W.keepIt);
    const dialog = h("dialog", { "aria-labelledby": title.id }, title, h("p", {}, W.cancelNote), told, h("div", { class: "acts" }, yes, keep));
    dialog.addEventListener("close", () => dialog.remove());
    container.append(dialog);
    dialog.showModal();
  };

  // --- Load -----------------------------------------------------------------------------------------------------------

  const load = persistently(async () => {
    const answer = await call("get", "/api/bookings/{id}/", { params: { id } });
    [booking, etag] = [answer.body, answer.etag];
    fill(section, heading(W.booking), facts, acts, change);
    show();
    if (draftOf(id)) openChange();
  }, (error) => {
    if (error instanceof Refused && [403, 404].includes(error.status)) nowhere(container, W.noBooking);
    else if (!(error instanceof Refused && error.status === 401)) fill(section, heading(W.booking), h("p", { class: "told bad" }, wordsOf(error)));
  });
  fill(section, heading(W.booking), h("p", { class: "loading" }, W.loading));
  fill(container, section);
  load.attempt();
  const unwatch = watchZone(show);

  return () => {
    form?.leave();
    load.stop();
    unwatch();
  };
}

/**
 * What a 412 says: which fields somebody else changed.
 *
 * @param {Api.Booking} before
 * @param {Api.Booking} now
 */
function whatChanged(before, now) {
  const changes = [];
  const zone = shownZone();
  if (before.resource !== now.resource) changes.push(W.changedField(W.resource, before.resource_name, now.resource_name));
  const [old, fresh] = [spanText(spanOf(before), zone), spanText(spanOf(now), zone)];
  if (old !== fresh) changes.push(W.changedField(W.when, old, fresh));
  if (before.status !== now.status) {
    changes.push(W.changedField(W.status, W.statuses[before.status ?? "pending"], W.statuses[now.status ?? "pending"]));
  }
  if (before.notes !== now.notes) changes.push(W.changedField(W.notes, before.notes || W.none, now.notes || W.none));
  return [W.changedMeanwhile, ...changes].join(" ");
}
