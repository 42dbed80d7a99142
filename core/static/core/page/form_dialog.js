/* The form of a new booking, above the view from which it was opened. */

import { bookingForm } from "./booking_form.js";
import { h, newId } from "./dom.js";
import { draftOf, dropDraft } from "./drafts.js";
import { go } from "./router.js";
import { say } from "./say.js";
import { W } from "./words.js";

/**
 * @param {HTMLElement} container The view.
 * @param {Page.Bookable[]} resources
 * @param {Page.Wanted | null} wanted Null: what was typed before.
 * @param {string} [day] To begin with, where nothing was.
 * @returns {() => void} How to leave it.
 */
export function openForm(container, resources, wanted, day) {
  // A booking of which the answer is still to come is asked for first.
  if (wanted && !draftOf(null)?.sent) dropDraft();
  const title = h("h2", { id: newId() }, W.newBooking);
  const form = bookingForm({
    resources,
    wanted,
    day,
    changed: null,
    onDone(made, words) {
      go(`/${"made" in made ? "series" : "bookings"}/${made.id}`);
      say(words);
    },
    repeats: true,
  });
  const close = h("button", { type: "button", class: "quiet close", onclick: () => dialog.close() }, W.close);
  const dialog = h("dialog", { "aria-labelledby": title.id }, h("div", { class: "dialog-head" }, title, close), form.element);
  dialog.addEventListener("close", () => {
    form.close();
    dialog.remove();
  });
  container.append(dialog);
  dialog.showModal();
  /** @type {HTMLElement | null} */ (form.element.querySelector("select:enabled, .main"))?.focus();
  return form.leave;
}
