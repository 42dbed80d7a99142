/* A question above the view, with one button that acts. */

import { Away } from "./api.js";
import { fill, h, newId } from "./dom.js";
import { waitOf, wordsOf } from "./say.js";
import { W } from "./words.js";

/**
 * @param {HTMLElement} container The view.
 * @param {object} about
 * @param {string} about.title
 * @param {(Node | string | null)[]} about.content
 * @param {string} about.yes What the button says.
 * @param {string} about.no
 * @param {string} [about.className] Of the button.
 * @param {(isAgain: boolean) => Promise<void>} about.act `isAgain`: the answer of before was lost, so it may be done.
 * @param {(error: unknown, place: HTMLElement) => string | null} [about.refused] What a refusal says; it may put more
 *   into the place. Null for the usual words.
 * @returns {{press: () => Promise<void>, close: () => void}}
 */
export function ask(container, { title, content, yes, no, className = "danger", act, refused }) {
  const head = h("h2", { id: newId() }, title);
  const told = h("p", { class: "told bad", role: "alert" });
  const more = h("div", { class: "instead" });
  const button = h("button", { type: "button", class: className, onclick: () => press() }, yes);
  const keep = h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, no);
  const dialog = h("dialog", { "aria-labelledby": head.id }, head, ...content, told, more, h("div", { class: "acts" }, button, keep));
  /** @type {number | undefined} */
  let retry;
  let isAgain = false;

  const press = async () => {
    if (button.disabled) return;
    clearTimeout(retry);
    button.disabled = true;
    fill(more);
    try {
      await act(isAgain);
      dialog.close();
    } catch (error) {
      isAgain = error instanceof Away;
      const words = refused?.(error, more) ?? wordsOf(error);
      fill(told, isAgain ? `${words} ${W.maybeDone}` : words);
      const wait = isAgain ? waitOf(error) : null;
      if (wait !== null && dialog.isConnected) retry = setTimeout(press, wait * 1000);
    }
    button.disabled = false;
  };

  dialog.addEventListener("close", () => {
    clearTimeout(retry);
    dialog.remove();
  });
  container.append(dialog);
  dialog.showModal();
  return { press, close: () => dialog.close() };
}
