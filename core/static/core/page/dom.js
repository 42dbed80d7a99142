/* Elements without HTML: every text is set as text. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes] `on…` are listeners, `style` a record of CSS properties; null and false
 *   leave an attribute out, true is an empty one.
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) made.style.setProperty(key, String(text));
    else if (name === "value" && "value" in made) made.value = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  append(made, ...children);
  return made;
}

/**
 * @param {Element | DocumentFragment} parent
 * @param {...(Child | Child[])} children
 */
export function append(parent, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Puts these in place of what was there. A heading that had the focus hands it on to the new one.
 *
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  const isAtHeading = parent.querySelector("h1:focus");
  parent.replaceChildren();
  append(parent, ...children);
  if (isAtHeading) parent.querySelector("h1")?.focus({ preventScroll: true });
}

/**
 * Puts these in place of what was there, but leaves what is alike. The focus stays: on the element of the same
 * `data-key`, else that of its resource.
 *
 * @param {Element} parent
 * @param {Element[]} children
 * @param {HTMLElement} otherwise Takes the focus where both are gone.
 */
export function refill(parent, children, otherwise) {
  const focused = parent.querySelector(":focus");
  children.forEach((child, index) => {
    const old = parent.children[index];
    if (!old) parent.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  while (parent.children.length > children.length) parent.lastElementChild?.remove();
  if (!focused || parent.contains(focused)) return;
  const key = focused.getAttribute("data-key") ?? "";
  /** @param {string | undefined} each @returns {HTMLElement | null} */
  const find = (each) => parent.querySelector(`[data-key="${each}"]`);
  (find(key) ?? find(key.split(" ")[0]) ?? otherwise).focus({ preventScroll: true });
}

let lastId = 0;

/** An id that no other element has. */
export function newId() {
  lastId += 1;
  return `id-${lastId}`;
}

/**
 * A labelled control.
 *
 * @param {string} label
 * @param {HTMLElement} control
 * @param {{hint?: string, className?: string}} [more]
 */
export function field(label, control, { hint, className } = {}) {
  control.id ||= newId();
  const told = hint ? h("small", { id: newId(), class: "hint" }, hint) : null;
  if (told) control.setAttribute("aria-describedby", told.id);
  return h("div", { class: `field ${className ?? ""}` }, h("label", { for: control.id }, label), control, told);
}

/**
 * Calls once it has been quiet for so long.
 *
 * @param {() => void} call
 * @param {number} milliseconds
 */
export function debounced(call, milliseconds) {
  /** @type {number | undefined} */
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds);
  };
  later.stop = () => clearTimeout(timer);
  return later;
}
