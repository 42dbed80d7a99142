/* Dragging over free time with a mouse or a finger, by the interact.js that the desk uses, too. */

import { h } from "./dom.js";
import { spanText } from "./format.js";
import { onClock } from "./spans.js";
import { dateAt, MINUTE } from "./zones.js";

const SHORTEST = 15 * MINUTE;

/**
 * Lets free spans of a table be dragged over; what was dragged over is wanted.
 *
 * @param {HTMLElement} table
 * @param {string} zone
 * @param {(wanted: Page.Wanted) => void} onWanted
 */
export function dragsFree(table, zone, onWanted) {
  /** @type {WeakMap<Element, {resource: number, start: number, end: number}>} */
  const known = new WeakMap();
  /** @type {{mark: HTMLElement, from: number, start: number, end: number} | null} */
  let drag = null;
  let wasDragged = false;
  const { interact } = window;
  /** @type {{unset(): void} | null} */
  let free = null;

  /** @param {Element} block @param {number} x */
  const momentAt = (block, x) => {
    const span = known.get(block);
    if (!span) return 0;
    const box = block.getBoundingClientRect();
    const moment = span.start + ((x - box.left) / box.width) * (span.end - span.start);
    return Math.min(span.end, Math.max(span.start, onClock(moment, zone, { nearest: true })));
  };

  /** @param {Element} block @param {number} x */
  const stretch = (block, x) => {
    const span = known.get(block);
    if (!drag || !span) return;
    const to = momentAt(block, x);
    drag.start = Math.min(drag.from, to);
    drag.end = Math.min(span.end, Math.max(drag.from, to, drag.start + SHORTEST));
    const length = span.end - span.start;
    drag.mark.style.left = `${(100 * (drag.start - span.start)) / length}%`;
    drag.mark.style.width = `${(100 * (drag.end - drag.start)) / length}%`;
    drag.mark.textContent = spanText(drag, zone, dateAt(drag.start, zone));
  };

  if (interact) {
    free = interact(".span.free", { context: table }).draggable({
      startAxis: "x",
      lockAxis: "x",
      cursorChecker: () => "pointer",
      listeners: {
        /** @param {any} event */
        start(event) {
          const from = momentAt(event.target, event.clientX0);
          const mark = h("span", { class: "mark" });
          event.target.append(mark);
          drag = { mark, from, start: from, end: from };
          wasDragged = true;
          stretch(event.target, event.clientX);
        },
        /** @param {any} event */
        move(event) {
          stretch(event.target, event.clientX);
        },
        /** @param {any} event */
        end(event) {
          const span = known.get(event.target);
          if (drag && span) onWanted({ resource: span.resource, start: drag.start, end: drag.end });
          drag?.mark.remove();
          drag = null;
        },
      },
    });
  }
  // A drag ends with a click, which would mean an hour; the click of a key is another one.
  table.addEventListener("click", (event) => {
    if (wasDragged && event.detail > 0) {
      event.preventDefault();
      event.stopPropagation();
    }
    wasDragged = false;
  }, true);
  table.addEventListener("pointerdown", () => { wasDragged = false; }, true);
  table.addEventListener("dragstart", (event) => event.preventDefault());

  return {
    /** @param {Element} block @param {{resource: number, start: number, end: number}} span */
    know: (block, span) => known.set(block, span),
    leave: () => free?.unset(),
  };
}
