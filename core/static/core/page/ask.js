/* A question above a view, with one button that acts. */

import { Away, Refused } from "./api.js";
import { fill, h, newId } from "./dom.js";
import { wordsOf } from "./say.js";
import { W } from "./words.js";

/**
 * @param {HTMLElement} container The view.
 * @param {object} about
 * @param {string} about.title
 * @param {(Node | undefined)[]} about.content
 * @param {string} about.yes What the button says.
 * @param {string} about.no
 * @param {string} [about.className] Of the button.
 * @param {(isAgain: boolean) => Promise<void>} about.act `isAgain`: the answer of before was lost, so it may be done.
 * @param {(error: Refused, place: HTMLElement) => string | void} [about.refused] What a refusal says, if not the usual
 *   words; it may put more into the place.
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
    if (button.disabled || !dialog.isConnected) return;
    clearTimeout(retry);
    button.disabled = true;
    fill(more);
    try {
      await act(isAgain);
      dialog.close();
    } catch (error) {
      isAgain = error instanceof Away;
      const words = (error instanceof Refused && refused?.(error, more)) || wordsOf(error);
      fill(told, words, isAgain && ` ${W.maybeDone}`);
      if (error instanceof Away && dialog.isConnected) retry = setTimeout(press, error.wait * 1000);
    }
    button.disabled = false;
  };

  dialog.addEventListener("close", () => {
    clearTimeout(retry);
    dialog.remove();
  });
  container.append(dialog);
  dialog.showModal();
  return press;
}
