/* The time zone that is shown, and how to type another one. */

import { fill, h, newId } from "./dom.js";
import { say } from "./say.js";
import { chooseZone, shownZone, watchZone } from "./shown.js";
import { W } from "./words.js";
import { isZone, spelt, zoneNames } from "./zones.js";

/** A field for the name of a zone, with the names there are; these are filled in once it is used. */
export function zoneField() {
  const names = h("datalist", { id: newId() });
  const typed = h("input", { id: newId(), list: names.id, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  typed.addEventListener("focus", () => {
    if (!names.hasChildNodes()) fill(names, zoneNames().map((name) => h("option", { value: name })));
  });
  return { typed, names };
}

/** A button that names the zone; it opens a field. */
export function zonePicker() {
  const { typed, names } = zoneField();
  const told = h("p", { class: "error", role: "alert" });
  const form = h("form", { class: "zone-form", hidden: true },
    h("label", { for: typed.id }, W.zone), typed, names, h("button", {}, W.changeZone), told,
    h("small", { class: "hint" }, W.zoneHint));
  const button = h("button", { type: "button", class: "quiet", "aria-expanded": "false" });
  const box = h("div", { class: "zone" }, button, form);

  /** @param {boolean} isOpen */
  const open = (isOpen) => {
    form.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    fill(told);
    if (!isOpen) return;
    typed.value = shownZone();
    typed.focus();
    typed.select();
  };
  const show = () => fill(button, h("span", { class: "hint" }, `${W.zone} `), shownZone());

  button.addEventListener("click", () => open(form.hidden));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || form.hidden) return;
    open(false);
    button.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = typed.value.trim();
    if (!isZone(entered)) {
      fill(told, W.noZone(entered));
      return;
    }
    const name = spelt(entered);
    open(false);
    button.focus();
    chooseZone(name);
    say(W.zoneIs(name));
  });
  watchZone(show);
  show();
  return box;
}
