/* A calendar file, fetched with the token: no link could send one. */

import { call } from "./api.js";
import { h } from "./dom.js";
import { say, wordsOf } from "./say.js";
import { W } from "./words.js";

/**
 * A button that saves the file.
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
