/* What was typed, kept in this tab: into the form of a booking until it is booked or given up, into others over a sign-in. */

import { current } from "./session.js";

const KEY = "booking.draft";
const FORMS = "booking.forms";

/** @param {Page.Draft} draft */
export function keepDraft(draft) {
  sessionStorage.setItem(KEY, JSON.stringify(draft));
}

/** @returns {Page.Draft | null} */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** What was typed by whoever is signed in now, or by nobody known. @param {number | null} booking */
export function draftOf(booking) {
  const draft = kept();
  return draft?.booking === booking && (!draft.owner || draft.owner === current()?.username) ? draft : null;
}

/** Whether it is the draft of the form with this key that is kept. @param {string} key */
export const isKept = (key) => kept()?.key === key;

export function hasDraft() {
  return [KEY, FORMS].some((key) => sessionStorage.getItem(key) !== null);
}

/** @param {string} [key] Of the form; without one, whatever is kept. */
export function dropDraft(key) {
  if (!key || isKept(key)) sessionStorage.removeItem(KEY);
}

/** The named controls of a form beside passwords. @param {HTMLFormElement} form */
const keptControls = (form) => /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("[name]:not([type=password])")]);

/**
 * Keeps what was typed into the forms of a view since they were sent; never a password.
 *
 * @param {HTMLElement} view
 * @param {string} username
 */
export function keepForms(view, username) {
  /** @type {Record<string, Record<string, string | boolean>>} */
  const forms = {};
  for (const form of view.querySelectorAll("form")) {
    if (!form.dataset.name || !form.dataset.touched) continue;
    forms[form.dataset.name] = Object.fromEntries(keptControls(form).map((control) =>
      [control.name, control.type === "checkbox" ? control.checked : control.value]));
  }
  if (Object.keys(forms).length) sessionStorage.setItem(FORMS, JSON.stringify({ username, forms }));
}

/**
 * Puts back what was typed, for the same user.
 *
 * @param {HTMLElement} view
 * @param {string} username
 */
export function restoreForms(view, username) {
  const kept = JSON.parse(sessionStorage.getItem(FORMS) ?? "null");
  dropForms();
  if (kept?.username !== username) return;
  for (const form of view.querySelectorAll("form")) {
    const typed = kept.forms[form.dataset.name ?? ""];
    if (!typed) continue;
    for (const control of keptControls(form)) {
      if (typeof typed[control.name] === "boolean") control.checked = typed[control.name];
      else if (typed[control.name] !== undefined) control.value = typed[control.name];
    }
    form.dispatchEvent(new Event("input"));
  }
}

export function dropForms() {
  sessionStorage.removeItem(FORMS);
}
