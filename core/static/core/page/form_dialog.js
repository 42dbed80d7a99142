/* The form of a new booking, above the view from which it was opened. */

import { bookingForm } from "./booking_form.js";
import { h, newId } from "./dom.js";
import { dropDraft } from "./drafts.js";
import { go } from "./router.js";
import { say } from "./say.js";
import { W } from "./words.js";

/**
 * @param {HTMLElement} container The view.
 * @param {Page.Bookable[]} resources
 * @param {Page.Wanted | null} wanted Null: what was typed before.
 * @returns {() => void} How to leave it.
 */
export function openForm(container, resources, wanted) {
  if (wanted) dropDraft();
  const title = h("h2", { id: newId() }, W.newBooking);
  const form = bookingForm({
    resources,
    wanted,
    changed: null,
    onDone(booking) {
      go(`/bookings/${booking.id}`);
      say(booking.status === "pending" ? W.bookedPending : W.bookedNow);
    },
    onSeries(series) {
      go(`/series/${series.id}`);
      say(W.bookedDates(series.made.length, series.skipped.length));
    },
  });
  const close = h("button", { type: "button", class: "quiet close", onclick: () => dialog.close() }, W.close);
  const dialog = h("dialog", { "aria-labelledby": title.id }, h("div", { class: "dialog-head" }, title, close), form.element);
  dialog.addEventListener("close", () => {
    // Given up, unless the answer is still to come.
    dropDraft();
    form.leave();
    dialog.remove();
  });
  container.append(dialog);
  dialog.showModal();
  return form.leave;
}
