/* The view of a day or a week: which resource is free when. */

import { debounced, field, fill, h, refill } from "./dom.js";
import { draftOf } from "./drafts.js";
import { openForm } from "./form_dialog.js";
import { dayText } from "./format.js";
import { listOf, makeGrid } from "./grid.js";
import { heading, nowhere, rename } from "./router.js";
import { persistently, say, wordsOf } from "./say.js";
import { shownZone, watchZone } from "./shown.js";
import { addressOf, daysOf, isBackwards, linesOf, stateOf } from "./spans.js";
import { W } from "./words.js";
import { addDays, dateAt, isClockChange, isDate, MINUTE, offsetText } from "./zones.js";

const NARROW = "(max-width: 720px)";
// The years of which a day is shown; others are out of reach of any booking.
const [FIRST_YEAR, LAST_YEAR] = ["1900", "2999"];

/** @type {Page.View} */
export function dayView(container, { params: [asked], query }) {
  const isShown = !asked || (isDate(asked) && asked.slice(0, 4) >= FIRST_YEAR && asked.slice(0, 4) <= LAST_YEAR);
  if (!isShown) {
    nowhere(container, isDate(asked) ? W.farDay : W.noDay(asked));
    return undefined;
  }
  let state = stateOf(asked ?? dateAt(Date.now(), shownZone()), query);
  /** @type {Api.Timeline[]} */
  let lines = [];
  /** Whether these are of what is shown. */
  let isKnown = false;
  /** @type {ReturnType<typeof makeGrid> | null} */
  let grid = null;
  /** @type {HTMLElement | null} */
  let list = null;
  // While the mouse is down, and whether something is to be drawn then: what is pressed must stay.
  let isHeld = false;
  let isLate = false;
  /** @type {() => void} */
  let leaveForm = () => undefined;
  let isFirst = true;
  let isFormWanted = draftOf(null) !== null;
  const narrow = matchMedia(NARROW);

  const title = heading("");
  const note = h("p", { class: "note", role: "status" });
  const result = h("div", { class: "result" });
  const count = h("p", { class: "count hint", role: "status" });

  // --- The controls ---------------------------------------------------------------------------------------------------

  /** @param {Partial<typeof state>} change @param {boolean} [push] A step for "back". */
  const set = (change, push = false) => {
    state = { ...state, ...change };
    say("");
    if (push) history.pushState(null, "", addressOf(state));
    else rename(addressOf(state));
    begin();
  };
  /** @param {number} steps */
  const step = (steps) => set({ date: addDays(state.date, steps * state.days) }, true);
  const before = h("button", { type: "button", onclick: () => step(-1) }, "‹");
  const after = h("button", { type: "button", onclick: () => step(1) }, "›");
  const today = h("button", { type: "button", onclick: () => set({ date: dateAt(Date.now(), shownZone()) }, true) }, W.today);
  const date = h("input", { type: "date", name: "date", "aria-label": W.day, min: `${FIRST_YEAR}-01-01`, max: `${LAST_YEAR}-12-31` });
  // Each key changes the day while one types.
  const dateSoon = debounced(() => {
    if (date.value && date.validity.valid && date.value !== state.date) set({ date: date.value }, true);
  }, 400);
  date.addEventListener("change", dateSoon);

  /** @param {string} label @param {[string, string][]} choices @param {(value: string) => void} choose */
  const choice = (label, choices, choose) => {
    const buttons = choices.map(([value, words]) =>
      h("button", { type: "button", "data-value": value, onclick: () => choose(value) }, words));
    return h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
  };
  const spans = choice(W.span, [["1", W.oneDay], ["7", W.oneWeek]], (value) => set({ days: value === "7" ? 7 : 1 }, true));
  const forms = choice(W.form, [["table", W.grid], ["list", W.list]], (form) => {
    state.form = form;
    rename(addressOf(state));
    reshape();
  });
  const search = h("input", { type: "search", name: "search", maxlength: "200" });
  const people = h("input", { type: "number", name: "people", min: "1", inputmode: "numeric" });
  const from = h("input", { type: "time", name: "from" });
  const to = h("input", { type: "time", name: "to" });
  const free = h("input", { type: "checkbox", name: "free" });
  const throughout = h("label", { class: "check" }, free, h("span", {}, W.freeThroughout));
  const box = h("details", { class: "filter-box", open: !narrow.matches }, h("summary", {}, W.filters));
  const filters = h("form", { class: "filters", role: "search", "aria-label": W.filters },
    field(W.search, search), field(W.people, people, { className: "short" }), field(W.from, from), field(W.to, to), throughout,
    h("button", { type: "reset", class: "quiet" }, W.clear));
  box.append(filters);
  const filter = () => set({
    search: search.value.trim(), people: people.validity.valid ? people.value : "", from: from.value, to: to.value, free: free.checked,
  });
  const filterSoon = debounced(filter, 300);
  filters.addEventListener("input", filterSoon);
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    filterSoon.stop();
    filter();
  });
  filters.addEventListener("reset", (event) => {
    event.preventDefault();
    filterSoon.stop();
    set({ search: "", people: "", from: "", to: "", free: false });
    fillControls();
  });

  const fillControls = () => {
    [search.value, people.value, from.value, to.value] = [state.search, state.people, state.from, state.to];
    free.checked = state.free;
  };
  const isList = () => (state.form ? state.form === "list" : narrow.matches);

  const dress = () => {
    const days = daysOf(state);
    const [first, last] = [days[0], days.at(-1)];
    const words = state.days === 7 && first && last ? W.week(dayText(first.date), dayText(last.date)) : dayText(state.date);
    fill(title, words);
    document.title = `${words} – ${W.name}`;
    if (date.value !== state.date) date.value = state.date;
    before.setAttribute("aria-label", state.days === 7 ? W.previousWeek : W.previousDay);
    after.setAttribute("aria-label", state.days === 7 ? W.nextWeek : W.nextDay);
    throughout.hidden = state.days === 7;
    const pressed = new Set([String(state.days), isList() ? "list" : "table"]);
    for (const each of [...spans.children, ...forms.children]) {
      each.setAttribute("aria-pressed", String(pressed.has(each.getAttribute("data-value") ?? "")));
    }
    const changes = days.filter((day) => isClockChange(day, shownZone()));
    note.hidden = !isBackwards(state) && changes.length === 0;
    fill(note, isBackwards(state) && W.toFirst, changes.map((day) =>
      W.clockChange(dayText(day.date), offsetText(day.start, shownZone()), offsetText(day.end - 1, shownZone()))));
  };

  // --- What is shown --------------------------------------------------------------------------------------------------

  /** Opens the form, once it is known what can be booked. @param {Page.Wanted | null} wanted */
  const open = (wanted) => {
    isFormWanted = isFirst;
    if (isFirst) return;
    leaveForm();
    const known = lines.filter((line) => line.is_available !== false)
      .map((line) => ({ id: line.resource, name: line.resource_name, waits: line.requires_approval }));
    const present = dateAt(Date.now(), shownZone());
    leaveForm = openForm(container, known, wanted, state.date < present ? present : state.date);
  };

  const draw = () => {
    isLate = isHeld;
    if (isHeld) return;
    const days = daysOf(state);
    const isEmpty = lines.length === 0 || days.length === 0;
    const isFiltered = Boolean(state.search || state.people || state.free);
    const words = isEmpty ? (isFiltered ? W.noneFound : W.noResources) : W.found(lines.length);
    if (count.textContent !== words) fill(count, words);
    if (isEmpty) {
      clear();
    } else if (isList()) {
      if (!list) fill(result, list = h("div", { class: "list" }));
      refill(list, listOf(lines, days, shownZone(), open), title);
    } else {
      if (!grid) fill(result, (grid = makeGrid(days, shownZone(), open)).element);
      grid.show(lines);
    }
  };

  /** @param {...Node} instead */
  const clear = (...instead) => {
    grid?.leave();
    grid = list = null;
    fill(result, ...instead);
  };

  const load = persistently(async (signal) => {
    const days = daysOf(state);
    const [first, last] = [days[0], days.at(-1)];
    lines = first && last ? await linesOf(state, first.start, last.end, signal) : [];
    isKnown = true;
    draw();
    isFirst = false;
    if (isFormWanted) open(null);
  }, (error) => {
    fill(count);
    clear(h("p", { class: "told bad", role: "alert" }, wordsOf(error)));
    isKnown = false;
  });

  /** Shows another form of what is there, or of what comes. */
  const reshape = () => {
    dress();
    if (!isKnown) return;
    clear();
    draw();
  };

  /** Shows another day, other resources, or another zone: nothing of before stays. */
  const begin = () => {
    isKnown = false;
    fill(count);
    clear(h("p", { class: "loading" }, W.loading));
    dress();
    load.attempt();
  };

  const left = new AbortController();
  const { signal } = left;
  const refresh = () => document.visibilityState === "visible" && load.refresh();
  const timer = setInterval(refresh, MINUTE);
  addEventListener("focus", refresh, { signal });
  document.addEventListener("visibilitychange", refresh, { signal });
  narrow.addEventListener("change", () => {
    box.open = !narrow.matches;
    reshape();
  }, { signal });
  result.addEventListener("pointerdown", ({ button }) => { isHeld = button === 0; });
  for (const each of ["pointerup", "pointercancel"]) {
    addEventListener(each, () => {
      isHeld = false;
      // The click comes first.
      setTimeout(() => isLate && draw());
    }, { signal });
  }
  const unwatch = watchZone(begin);

  fill(container, h("div", { class: "bar" },
    h("div", { class: "steps" }, before, today, after, date), spans, forms,
    h("button", { type: "button", class: "main", onclick: () => open(null) }, W.newBooking)),
  box, title, note, legend(), count, result);
  fillControls();
  begin();

  return () => {
    leaveForm();
    load.stop();
    left.abort();
    grid?.leave();
    clearInterval(timer);
    filterSoon.stop();
    dateSoon.stop();
    unwatch();
  };
}

function legend() {
  const kinds = /** @type {(keyof typeof W.kinds)[]} */ (Object.keys(W.kinds));
  return h("ul", { class: "legend", "aria-label": W.legend },
    kinds.map((kind) => h("li", {}, h("span", { class: `swatch span ${kind}`, "aria-hidden": "true" }), W.kinds[kind])));
}
