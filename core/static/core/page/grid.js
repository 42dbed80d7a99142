/* The day, or the week, as a table: resources down, hours or days across; and as a list.

Many rows of the table are drawn only where they are seen, and all of them in print. */

import { h, refill } from "./dom.js";
import { dragsFree } from "./drag.js";
import { dayText, hourText, shortDayText, spanText } from "./format.js";
import { spansOf, thisMinute, wantedAt } from "./spans.js";
import { W } from "./words.js";
import { isClockChange, MINUTE, offsetText } from "./zones.js";

const ROW_HEIGHT = 52;
// Rows above and below those that are seen.
const SPARE_ROWS = 6;
const MOST_WHOLE = 60;

/**
 * @param {Page.Day[]} days
 * @param {string} zone
 * @param {(wanted: Page.Wanted) => void} onWanted
 */
export function makeGrid(days, zone, onWanted) {
  const isWeek = days.length > 1;
  const units = isWeek ? 1 : unitsOf(days[0]);
  const body = h("tbody");
  const headings = isWeek ? days.map((day) => dayHeading(day)) : hourHeadings(days[0], zone);
  const table = h("table", { class: `grid ${isWeek ? "week" : "day"}` },
    h("caption", { class: "unseen" }, W.keys),
    h("colgroup", {}, h("col", { class: "name" }), h("col", { span: isWeek ? days.length : units })),
    h("thead", {}, h("tr", {}, h("th", { class: "name", scope: "col" }, W.resource), headings)),
    body);
  const scroller = h("div", { class: "scroller", tabindex: "-1" }, table);
  /** @type {Api.Timeline[]} */
  let lines = [];
  let now = thisMinute();
  let activeKey = "";
  let isPrinting = false;
  /** @type {[number, number]} */
  let drawn = [0, 0];

  const draw = () => {
    const [first, last] = drawn = rowsSeen();
    const rows = lines.slice(first, last).map((line, index) => rowOf(line, first + index));
    if (first > 0) rows.unshift(spacer(first));
    if (last < lines.length) rows.push(spacer(lines.length - last));
    const all = rows.flatMap(items);
    mark(all, all.find(isActive) ?? all[0]);
    // The table has the focus while the row that had it is out of sight.
    refill(body, rows, scroller);
    if (document.activeElement === scroller) items(body).find(isActive)?.focus({ preventScroll: true });
  };

  /** @returns {[number, number]} */
  const rowsSeen = () => {
    if (isPrinting || lines.length * days.length <= MOST_WHOLE) return [0, lines.length];
    const top = Math.floor(scroller.scrollTop / ROW_HEIGHT) - SPARE_ROWS;
    const height = Math.ceil((scroller.clientHeight || innerHeight) / ROW_HEIGHT) + 2 * SPARE_ROWS;
    const first = Math.max(0, Math.min(top, lines.length - height));
    return [first, Math.min(lines.length, first + height)];
  };

  /** @param {number} rows */
  const spacer = (rows) => h("tr", { "aria-hidden": "true", class: "spacer" },
    h("td", { colspan: 1 + (isWeek ? days.length : units), style: { height: `${rows * ROW_HEIGHT}px` } }));

  /** @param {Api.Timeline} line @param {number} index */
  const rowOf = (line, index) => h("tr", { "aria-rowindex": index + 2, "data-row": index },
    h("th", { class: "name", scope: "row" }, h("div", {},
      h("a", { href: `/resources/${line.resource}`, "data-key": `${line.resource}`, title: line.resource_name }, line.resource_name),
      h("small", {}, line.is_available === false ? W.outOfService : W.holds(line.capacity ?? 1)))),
    days.map((day) => h("td", isWeek ? {} : { colspan: units }, laneOf(line, day))));

  /** @param {Api.Timeline} line @param {Page.Day} day */
  const laneOf = (line, day) => {
    const lane = h("div", { class: "lane", style: { "--units": isWeek ? 1 : units } });
    for (const span of spansOf(line, day, now)) lane.append(blockOf(line, day, span));
    return lane;
  };

  /** @param {Api.Timeline} line @param {Page.Day} day @param {Page.Shown} span */
  const blockOf = (line, day, span) => {
    const when = spanText(span, zone, day.date);
    const length = day.end - day.start;
    const style = {
      left: `${(100 * (span.start - day.start)) / length}%`,
      width: `${(100 * (span.end - span.start)) / length}%`,
    };
    const told = span.reason || (span.kind === "mine" && span.isPending ? W.minePending : W.kinds[span.kind]);
    const words = span.reason || W.short[span.kind];
    const common = { class: `span ${span.kind} ${span.isPending ? "waits" : ""}`, style, title: `${told}, ${when}` };
    // The beginning of free time moves on with the clock; its end stays.
    const key = `${line.resource} ${span.kind} ${span.end}`;
    if (span.kind === "mine") {
      return h("a", { ...common, href: `/bookings/${span.id}`, "data-key": key }, words, h("span", { class: "unseen" }, ` ${when}`));
    }
    if (span.kind !== "free") {
      return h("div", common, words, h("span", { class: "unseen" }, ` ${span.kind === "none" ? W.kinds.none : ""} ${when}`));
    }
    const button = h("button", { ...common, type: "button", "data-key": key, "aria-label": W.freeSpan(line.resource_name, when) },
      h("span", { class: "faint" }, words));
    button.addEventListener("click", (event) => {
      const isPointed = event.detail > 0;
      const at = isPointed ? momentAt(button, span, event.clientX) : null;
      onWanted({ resource: line.resource, ...wantedAt(span, at, zone, Date.now()) });
    });
    dragged.know(button, { ...span, resource: line.resource });
    return button;
  };

  const dragged = dragsFree(table, zone, onWanted);

  // --- The keyboard: one stop of the tabulator, arrows within ---------------------------------------------------------

  /** @param {HTMLElement} within */
  const items = (within) => /** @type {HTMLElement[]} */ ([...within.querySelectorAll("[data-key]")]);

  /** @param {HTMLElement} item */
  const isActive = (item) => item.dataset.key === activeKey;

  /** @param {HTMLElement[]} all @param {HTMLElement | undefined} active */
  const mark = (all, active) => {
    for (const each of all) each.tabIndex = each === active ? 0 : -1;
  };

  /** @param {HTMLElement} item */
  const moveTo = (item) => {
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const item = /** @type {HTMLElement} */ (event.target).closest("[data-key]");
    const row = item?.closest("tr");
    if (!(item instanceof HTMLElement) || !row || event.altKey || event.ctrlKey || event.metaKey) return;
    const inRow = items(row);
    const place = inRow.indexOf(item);
    const steps = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: inRow.length - 1 };
    if (event.key in steps) {
      const next = inRow[steps[/** @type {keyof typeof steps} */ (event.key)]];
      event.preventDefault();
      if (next) moveTo(next);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      toRow(Number(row.dataset.row) + (event.key === "ArrowDown" ? 1 : -1), item.getBoundingClientRect().left);
    }
  };

  /** @param {number} index @param {number} left */
  const toRow = (index, left) => {
    if (index < 0 || index >= lines.length) return;
    if (index < drawn[0] || index >= drawn[1]) {
      scroller.scrollTop = Math.max(0, (index - 2) * ROW_HEIGHT);
      draw();
    }
    const found = items(body).filter((each) => each.closest("tr")?.dataset.row === String(index));
    const next = found.filter((each) => each.getBoundingClientRect().left <= left + 1).at(-1) ?? found[0];
    if (next) moveTo(next);
  };

  const scrolled = () => {
    const [first, last] = rowsSeen();
    if (Math.abs(first - drawn[0]) > SPARE_ROWS / 2 || Math.abs(last - drawn[1]) > SPARE_ROWS / 2) draw();
  };
  /** @param {boolean} isPrint */
  const prints = (isPrint) => {
    isPrinting = isPrint;
    draw();
  };
  const [before, after] = [() => prints(true), () => prints(false)];
  const media = matchMedia("print");
  /** @param {MediaQueryListEvent} event */
  const changed = (event) => prints(event.matches);
  scroller.addEventListener("scroll", scrolled, { passive: true });
  body.addEventListener("keydown", pressed);
  body.addEventListener("focusin", (event) => {
    const item = /** @type {HTMLElement} */ (event.target);
    if (!item.dataset.key || isActive(item)) return;
    activeKey = item.dataset.key;
    mark(items(body), item);
  });
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  addEventListener("resize", scrolled);
  media.addEventListener("change", changed);

  return {
    element: scroller,
    /** @param {Api.Timeline[]} found */
    show(found) {
      lines = found;
      now = thisMinute();
      if (!isWeek) {
        days[0]?.hours.forEach(({ start, end }, index) => headings[index]?.classList.toggle("now", start <= now && now < end));
      }
      table.setAttribute("aria-rowcount", String(lines.length + 1));
      draw();
    },
    leave() {
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
      removeEventListener("resize", scrolled);
      media.removeEventListener("change", changed);
      dragged.leave();
    },
  };

  /** @param {HTMLElement} block @param {{start: number, end: number}} span @param {number} x */
  function momentAt(block, span, x) {
    const box = block.getBoundingClientRect();
    return span.start + ((x - box.left) / box.width) * (span.end - span.start);
  }
}

/** How many equal columns hold all hours of the day. @param {Page.Day | undefined} day */
function unitsOf(day) {
  return (day?.hours ?? []).reduce((sum, hour) => sum + widthOf(hour, unitOf(day)), 0);
}

/** @param {{start: number, end: number}} hour @param {number} unit */
const widthOf = (hour, unit) => Math.max(1, Math.round((hour.end - hour.start) / MINUTE / unit));

/** The length of such a column, in minutes. @param {Page.Day | undefined} day */
function unitOf(day) {
  const lengths = (day?.hours ?? []).map(({ start, end }) => Math.round((end - start) / MINUTE));
  /** @type {(one: number, other: number) => number} */
  const divisor = (one, other) => (other ? divisor(other, one % other) : one);
  return Math.max(5, lengths.reduce(divisor, 60));
}

/** @param {Page.Day | undefined} day @param {string} zone */
function hourHeadings(day, zone) {
  const unit = unitOf(day);
  const [first, last] = [day?.hours[0], day?.hours.at(-1)];
  const withOffset = first && last && isClockChange({ start: first.start, end: last.end }, zone);
  return (day?.hours ?? []).map((hour) => h("th", { scope: "col", colspan: widthOf(hour, unit) }, hourText(hour.start, zone), withOffset ? h("small", {}, offsetText(hour.start, zone)) : null));
}

/** @param {Page.Day} day */
function dayHeading(day) {
  return h("th", { scope: "col" }, h("a", { href: `/day/${day.date}` }, shortDayText(day.date)));
}

/**
 * The list, on a narrow screen and for whoever asks for it: a section for each resource.
 *
 * @param {Api.Timeline[]} lines
 * @param {Page.Day[]} days
 * @param {string} zone
 * @param {(wanted: Page.Wanted) => void} onWanted
 */
export function listOf(lines, days, zone, onWanted) {
  const now = thisMinute();

  /** @param {Api.Timeline} line @param {Page.Day} day @param {Page.Shown} span */
  const entry = (line, day, span) => {
    const when = spanText(span, zone, day.date);
    const told = span.kind === "mine" && span.isPending ? W.minePending : W.kinds[span.kind];
    const words = [h("span", { class: "when" }, when), h("span", { class: "what" }, span.reason ? `${told}: ${span.reason}` : told)];
    const name = `span ${span.kind} ${span.isPending ? "waits" : ""}`;
    const key = `${line.resource} ${span.kind} ${span.end}`;
    if (span.kind === "mine") return h("li", {}, h("a", { class: name, href: `/bookings/${span.id}`, "data-key": key }, words));
    if (span.kind !== "free") return h("li", {}, h("div", { class: name }, words));
    const press = () => onWanted({ resource: line.resource, ...wantedAt(span, null, zone, Date.now()) });
    return h("li", {}, h("button", { type: "button", class: name, "data-key": key, onclick: press }, words,
      h("span", { class: "book" }, W.book, h("span", { class: "unseen" }, ` ${line.resource_name}`))));
  };

  return lines.map((line) => h("section", { class: "line" },
    h("h2", {}, h("a", { href: `/resources/${line.resource}`, "data-key": line.resource }, line.resource_name), " ",
      h("small", {}, line.is_available === false ? W.outOfService : W.holds(line.capacity ?? 1))),
    days.map((day) => [
      days.length > 1 ? h("h3", {}, dayText(day.date)) : null,
      h("ul", {}, spansOf(line, day, now).map((span) => entry(line, day, span))),
    ]).flat()));
}
