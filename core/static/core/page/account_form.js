/* A form of an account: one button, errors beside their fields in the API's own words. */

import { Away, fieldErrors, Refused } from "./api.js";
import { field, fill, h } from "./dom.js";
import { say, wordsOf } from "./say.js";
import { W } from "./words.js";

/** @param {string} name @param {string} label @param {Record<string, any>} [attributes] @param {string} [hint] */
export function input(name, label, attributes = {}, hint) {
  return field(label, h("input", { name, required: true, ...attributes }), hint ? { hint } : {});
}

/** @param {string} name @param {string} label @param {Record<string, any>} [attributes] @param {string} [hint] */
export function checkbox(name, label, attributes = {}, hint) {
  return h("label", { class: "check" }, h("input", { type: "checkbox", name, ...attributes }), h("span", {}, label),
    hint ? h("small", { class: "hint" }, hint) : null);
}

/**
 * @param {string} button
 * @param {HTMLElement[]} fields
 * @param {(values: Record<string, string>, isAgain: boolean) => Promise<void>} send Of the fields; a checkbox is there only
 *   when it is on. `isAgain`: an answer of before was lost.
 * @param {Page.AccountHow} [how]
 */
export function accountForm(button, fields, send, { name, repeats = false, mood = "main", attributes = {} } = {}) {
  const told = h("p", { class: "told bad", role: "alert" });
  const pressed = h("button", { class: mood }, button);
  const form = h("form", { class: "account", "data-name": name, ...attributes }, fields, told, pressed);
  /** @type {number | undefined} */
  let timer;
  let isAgain = false;
  const attempt = async () => {
    clearTimeout(timer);
    pressed.disabled = true;
    forgetErrors(form);
    fill(told);
    // What was said of the last press; the same words are read aloud again.
    say("");
    try {
      const entered = [...new FormData(form)].map(([key, value]) => [key, String(value)]);
      await send(Object.fromEntries(entered), isAgain);
      delete form.dataset.touched;
    } catch (error) {
      if (!form.isConnected) return;
      isAgain ||= error instanceof Away;
      if (repeats && error instanceof Away) {
        fill(told, wordsOf(error));
        timer = setTimeout(() => form.isConnected && attempt(), error.wait * 1000);
        return;
      }
      if (error instanceof Away) fill(told, W.pressAgain(error.wait));
      else showRefusal(form, told, error);
    }
    pressed.disabled = false;
  };
  form.addEventListener("input", () => {
    form.dataset.touched = "true";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!pressed.disabled) attempt();
  });
  return form;
}

/** @param {HTMLFormElement} form */
function forgetErrors(form) {
  for (const each of form.querySelectorAll(".error")) each.remove();
  for (const each of form.querySelectorAll("[aria-invalid]")) {
    each.removeAttribute("aria-invalid");
    const hint = (each.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => !id.endsWith("-error"));
    each.setAttribute("aria-describedby", hint.join(" "));
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} told
 * @param {unknown} error
 */
function showRefusal(form, told, error) {
  const rest = [];
  let isPlaced = false;
  for (const [name, message] of Object.entries(error instanceof Refused ? fieldErrors(error.body) : {})) {
    const control = form.elements.namedItem(name);
    if ((control instanceof HTMLInputElement || control instanceof HTMLSelectElement) && !control.closest("[hidden]")) {
      const words = h("p", { class: "error", id: `${control.id || name}-error` }, message);
      (control.closest(".check") ?? control).after(words);
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", `${words.id} ${control.getAttribute("aria-describedby") ?? ""}`.trim());
      if (!isPlaced) control.focus();
      isPlaced = true;
    } else {
      rest.push(message);
    }
  }
  fill(told, rest.length || isPlaced ? rest.join(" ") : wordsOf(error));
}
