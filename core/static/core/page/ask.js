/* A question before what cannot be taken back. */

import { Away } from "./api.js";
import { fill, h, newId } from "./dom.js";
import { wordsOf } from "./say.js";
import { W } from "./words.js";

/**
 * @param {HTMLElement} container The view.
 * @param {object} about
 * @param {string} about.title
 * @param {string} about.note
 * @param {string} about.yes
 * @param {() => Promise<void>} about.act What the yes does; the question stays where it fails.
 */
export function ask(container, { title, note, yes, act }) {
  const heading = h("h2", { id: newId() }, title);
  const told = h("p", { class: "told bad", role: "alert" });
  const agree = h("button", { type: "button", class: "danger", onclick: async () => {
    if (agree.disabled) return;
    agree.disabled = true;
    try {
      await act();
      dialog.close();
    } catch (error) {
      agree.disabled = false;
      fill(told, error instanceof Away ? W.pressAgain(error.wait) : wordsOf(error));
    }
  } }, yes);
  const refuse = h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, W.keepIt);
  const dialog = h("dialog", { "aria-labelledby": heading.id }, heading, h("p", {}, note), told,
    h("div", { class: "acts" }, agree, refuse));
  dialog.addEventListener("close", () => dialog.remove());
  container.append(dialog);
  dialog.showModal();
}
