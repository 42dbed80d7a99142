/* The view of a day or a week: which resource is free when. */

import { call } from "./api.js";
import { debounced, field, fill, h } from "./dom.js";
import { draftOf } from "./drafts.js";
import { openForm } from "./form_dialog.js";
import { dayText, FIRST_DAY } from "./format.js";
import { makeGrid } from "./grid.js";
import { makeList } from "./list.js";
import { heading, nowhere, rename } from "./router.js";
import { persistently, say, wordsOf } from "./say.js";
import { shownZone, watchZone } from "./shown.js";
import { W } from "./words.js";
import { addDays, dateAt, hoursOf, iso, isClockChange, isDate, momentsOf, offsetText, startOfDay, weekStart } from "./zones.js";

const EACH_MINUTE = 60_000;
const NARROW = "(max-width: 720px)";
// The years of which a day is shown; others are out of reach of any booking.
const [FIRST_YEAR, LAST_YEAR] = ["1900", "2999"];

/** @typedef {{date: string, days: 1 | 7, search: string, people: string, from: string, to: string, free: boolean, form: string}} State */

/** @param {string} date @param {URLSearchParams} query @returns {State} */
function stateOf(date, query) {
  const time = (/** @type {string} */ name) => (/^[0-9]{2}:[0-9]{2}$/.test(query.get(name) ?? "") ? String(query.get(name)) : "");
  return {
    date,
    days: query.get("days") === "7" ? 7 : 1,
    search: query.get("search") ?? "",
    people: /^[1-9][0-9]{0,8}$/.test(query.get("people") ?? "") ? String(query.get("people")) : "",
    from: time("from"),
    to: time("to"),
    free: query.get("free") === "true",
    form: query.get("form") ?? "",
  };
}

/** @param {State} state */
function addressOf({ date, days, free, ...words }) {
  const query = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== ""));
  if (days === 7) query.set("days", "7");
  if (free) query.set("free", "true");
  return `/day/${date}${query.size ? `?${query}` : ""}`;
}

/** The days that are shown, with their hours. @param {State} state @returns {Page.Day[]} */
export function daysOf({ date, days, from, to }) {
  const zone = shownZone();
  const first = days === 7 ? weekStart(date, FIRST_DAY) : date;
  return Array.from({ length: days }, (_, index) => addDays(first, index)).map((each) => {
    const [start, next] = [startOfDay(each, zone), startOfDay(addDays(each, 1), zone)];
    const begins = (from && momentsOf(each, from, zone)[0]) || start;
    const ends = (to && momentsOf(each, to, zone).at(-1)) || next;
    const [low, high] = begins < ends ? [begins, ends] : [start, next];
    const hours = hoursOf(each, zone)
      .map((hour) => ({ start: Math.max(hour.start, low), end: Math.min(hour.end, high) }))
      .filter((hour) => hour.start < hour.end);
    return { date: each, start: low, end: high, hours };
  }).filter((day) => day.hours.length > 0);
}

/** @type {Page.View} */
export function dayView(container, { params: [asked], query }) {
  const isShown = !asked || (isDate(asked) && asked.slice(0, 4) >= FIRST_YEAR && asked.slice(0, 4) <= LAST_YEAR);
  if (!isShown) {
    nowhere(container, W.noDay(asked));
    return undefined;
  }
  let state = stateOf(asked ?? dateAt(Date.now(), shownZone()), query);
  /** @type {Api.Timeline[]} */
  let lines = [];
  /** @type {ReturnType<typeof makeGrid> | null} */
  let grid = null;
  /** @type {() => void} */
  let leaveForm = () => undefined;
  /** @type {AbortController | null} */
  let asking = null;
  let isFirst = true;
  let isFormWanted = draftOf(null) !== null;
  const narrow = matchMedia(NARROW);

  const title = heading("");
  const change = h("p", { class: "note", hidden: true });
  const result = h("div", { class: "result" });
  const count = h("p", { class: "count hint", role: "status" });

  // --- The controls ---------------------------------------------------------------------------------------------------

  /** @param {Partial<State>} change @param {boolean} [push] A step for "back". */
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
  date.addEventListener("change", () => isDate(date.value) && set({ date: date.value }, true));

  /** @param {string} label @param {[string, string][]} choices @param {(value: string) => void} choose */
  const choice = (label, choices, choose) => {
    const buttons = choices.map(([value, words]) =>
      h("button", { type: "button", "data-value": value, onclick: () => choose(value) }, words));
    return h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
  };
  const spans = choice(W.span, [["1", W.oneDay], ["7", W.oneWeek]], (value) => set({ days: value === "7" ? 7 : 1 }, true));
  const forms = choice(W.form, [["table", W.grid], ["list", W.list]], (form) => set({ form }));
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
    date.value = state.date;
    before.setAttribute("aria-label", state.days === 7 ? W.previousWeek : W.previousDay);
    after.setAttribute("aria-label", state.days === 7 ? W.nextWeek : W.nextDay);
    throughout.hidden = state.days === 7;
    const pressed = new Set([String(state.days), isList() ? "list" : "table"]);
    for (const each of [...spans.children, ...forms.children]) {
      each.setAttribute("aria-pressed", String(pressed.has(each.getAttribute("data-value") ?? "")));
    }
    const changes = days.filter((day) => isClockChange(day, shownZone()));
    change.hidden = changes.length === 0;
    fill(change, changes.map((day) => W.clockChange(offsetText(day.start, shownZone()), offsetText(day.end - 1, shownZone()))));
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
    const days = daysOf(state);
    const isEmpty = lines.length === 0 || days.length === 0;
    const isFiltered = Boolean(state.search || state.people || state.free);
    fill(count, isEmpty ? (isFiltered ? W.noneFound : W.noResources) : W.found(lines.length));
    if (isList() || isEmpty) {
      grid?.leave();
      grid = null;
      fill(result, isEmpty ? null : makeList(lines, days, shownZone(), open));
      return;
    }
    if (!grid) {
      grid = makeGrid(days, shownZone(), open);
      fill(result, grid.element);
    }
    grid.show(lines);
  };

  const load = persistently(async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const days = daysOf(state);
    const [first, last] = [days[0], days.at(-1)];
    if (first && last) {
      /** @type {Api.Query<"/api/resources/availability/", "get">} */
      const query = { start: iso(first.start), end: iso(last.end), include: ["details", "mine"], ordering: "name" };
      if (state.search) query.search = state.search;
      if (state.people) query.min_capacity = Number(state.people);
      if (state.free && state.days === 1) query.available = "true";
      const { body } = await call("get", "/api/resources/availability/", { query, again: true, signal });
      if (signal.aborted) return;
      lines = body;
    }
    draw();
    isFirst = false;
    if (isFormWanted) open(null);
  }, (error) => {
    fill(count);
    fill(result, h("p", { class: "told bad", role: "alert" }, wordsOf(error)));
    grid?.leave();
    grid = null;
  });

  /** Shows another day, form or zone: the table has other columns then. */
  const begin = () => {
    grid?.leave();
    grid = null;
    dress();
    load.attempt();
  };

  const refresh = () => document.visibilityState === "visible" && load.attempt();
  const timer = setInterval(refresh, EACH_MINUTE);
  addEventListener("focus", refresh);
  document.addEventListener("visibilitychange", refresh);
  const resized = () => {
    box.open = !narrow.matches;
    begin();
  };
  narrow.addEventListener("change", resized);
  const unwatch = watchZone(begin);

  fill(container, h("div", { class: "bar" },
    h("div", { class: "steps" }, before, today, after, date), spans, forms,
    h("button", { type: "button", class: "main", onclick: () => open(null) }, W.newBooking)),
  box, title, change, legend(), count, result);
  fillControls();
  fill(result, h("p", { class: "loading" }, W.loading));
  begin();

  return () => {
    leaveForm();
    load.stop();
    asking?.abort();
    grid?.leave();
    clearInterval(timer);
    filterSoon.stop();
    removeEventListener("focus", refresh);
    document.removeEventListener("visibilitychange", refresh);
    narrow.removeEventListener("change", resized);
    unwatch();
  };
}

function legend() {
  const kinds = /** @type {(keyof typeof W.kinds)[]} */ (Object.keys(W.kinds));
  return h("ul", { class: "legend", "aria-label": W.legend },
    kinds.map((kind) => h("li", {}, h("span", { class: `swatch span ${kind}`, "aria-hidden": "true" }), W.kinds[kind])));
}
