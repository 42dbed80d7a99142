/* Which dates of a series an act is about. */

import { field, h } from "./dom.js";
import { W } from "./words.js";

/** @type {Api.Scope[]} */
const SCOPES = ["this", "following", "all"];

/**
 * @param {() => void} [onChange]
 * @param {string} [hint]
 */
export function scopeField(onChange, hint) {
  const control = h("select", { name: "scope" }, SCOPES.map((scope) => h("option", { value: scope }, W.scopes[scope])));
  if (onChange) control.addEventListener("change", onChange);
  return {
    element: field(W.scope, control, { className: "wide", ...(hint ? { hint } : {}) }),
    /** @returns {Api.Scope} */
    value: () => SCOPES[control.selectedIndex] ?? "this",
    /** @param {string | undefined} scope */
    set(scope) {
      control.selectedIndex = Math.max(0, SCOPES.findIndex((each) => each === scope));
    },
  };
}
