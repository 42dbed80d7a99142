/* The view of a series: its rule, its dates, and what may be done to many of them. */

import { call, Refused } from "./api.js";
import { ask } from "./ask.js";
import { reasonField } from "./booking_acts.js";
import { fileButton } from "./calendar_file.js";
import { holds, spanOf } from "./changes.js";
import { field, fill, h } from "./dom.js";
import { spanText } from "./format.js";
import { askSignIn, heading, nowhere } from "./router.js";
import { persistently, say, wordsOf } from "./say.js";
import { current } from "./session.js";
import { shownZone, watchZone } from "./shown.js";
import { showVerdicts } from "./verdict_list.js";
import { W } from "./words.js";

/** Whether a date is to come and may be cancelled. @param {Api.SeriesDate} date */
const isComing = (date) => date.id !== null && holds(date) && Date.parse(date.end_time ?? "") > Date.now();

/** @type {Page.View} */
export function seriesView(container, { params: [number] }) {
  const id = Number(number);
  if (!current()) {
    queueMicrotask(askSignIn);
    fill(container, heading(W.series));
    return undefined;
  }
  /** @type {Api.Series | null} */
  let series = null;
  /** @type {string | null} */
  let etag = null;
  /** @type {Api.SeriesDate[]} */
  let dates = [];
  /** @type {Set<number>} */
  const chosen = new Set();
  const section = h("section", { class: "narrow card" });
  const acts = h("div", { class: "acts" });

  /** @param {Api.SeriesDate} date */
  const entry = (date) => {
    if (date.id === null || date.start_time === null || date.end_time === null) {
      const words = W.notBooked(date.code.replaceAll("_", " "));
      return h("li", {}, h("div", { class: "entry void" }, h("span", { class: "when" }, date.local_start.replace("T", " ").slice(0, 16)),
        h("span", { class: "status cancelled" }, words)));
    }
    const [key, when] = [date.id, spanText(spanOf({ start_time: date.start_time, end_time: date.end_time }), shownZone())];
    const box = h("input", { type: "checkbox", "aria-label": W.choose(when), onchange: () => {
      if (box.checked) chosen.add(key);
      else chosen.delete(key);
      dress();
    } });
    box.checked = chosen.has(key);
    return h("li", { class: "chosen" }, isComing(date) ? box : h("span", { class: "no-box" }),
      h("a", { class: `entry ${holds(date) ? "" : "void"}`, href: `/bookings/${key}` }, h("span", { class: "when" }, when),
        date.status && date.status !== "confirmed" ? h("span", { class: `status ${date.status}` }, W.statuses[date.status]) : null));
  };

  const dress = () => {
    const coming = dates.filter(isComing);
    const ids = coming.map((each) => Number(each.id)).filter((each) => chosen.has(each));
    fill(acts,
      coming.length > 0 && [
        ids.length > 0 && h("button", { type: "button", class: "danger", onclick: () => askCancel(ids) }, W.cancelChosen(ids.length)),
        h("button", { type: "button", class: "danger", onclick: () => askCancel(coming.map((each) => Number(each.id))) }, W.cancelComing),
        h("button", { type: "button", onclick: askNotes }, W.changeNotes),
        fileButton("series", id),
      ],
      h("a", { class: "button", href: "/account#feeds" }, W.subscribe));
  };

  const show = () => {
    if (!series) return;
    const isOther = series.username !== current()?.username;
    fill(section, heading(W.seriesOf(series.resource_name)),
      h("dl", { class: "facts" },
        h("dt", {}, W.resource), h("dd", {}, h("a", { href: `/resources/${series.resource}` }, series.resource_name)),
        h("dt", {}, W.repeats), h("dd", {}, series.rule_text),
        h("dt", {}, W.byTheClock), h("dd", {}, `${series.start_time.slice(11, 16)}–${series.end_time.slice(11, 16)}, ${series.time_zone}`),
        isOther && [h("dt", {}, W.bookedBy), h("dd", {}, series.username)],
        series.notes ? [h("dt", {}, W.notes), h("dd", { class: "text" }, series.notes)] : null,
        series.previous ? [h("dt", {}, W.previous), h("dd", {}, h("a", { href: `/series/${series.previous}` }, W.previousSeries))] : null),
      acts,
      h("h2", { class: "part" }, W.itsDates(dates.filter(holds).length)), h("p", { class: "hint" }, W.moveDatesHint),
      h("ul", { class: "bookings dates" }, dates.map(entry)));
    dress();
  };

  /** @param {string} words */
  const done = async (words) => {
    chosen.clear();
    await load.attempt();
    say(words);
    /** @type {HTMLElement | null} */ (section.querySelector("h1"))?.focus();
  };

  /** Takes what a 412 shows. @param {unknown} error @param {HTMLElement} more */
  const refused = (error, more) => {
    if (!(error instanceof Refused)) return null;
    if (error.body.dates) showVerdicts(more, error.body.dates);
    if (error.status !== 412) return null;
    [series, etag] = [/** @type {Api.Series} */ (error.body.current), error.etag];
    show();
    return `${W.seriesChanged} ${W.notes}: ${series.notes || W.none}`;
  };

  /** @param {number[]} ids */
  const askCancel = (ids) => {
    const reason = reasonField();
    ask(container, {
      title: W.cancelDatesSure(ids.length),
      content: [h("p", {}, W.cancelDatesNote), field(W.reason, reason, { hint: W.reasonHint })],
      yes: W.yesCancel,
      no: W.keepThem,
      async act() {
        const why = reason.value.trim() ? { reason: reason.value } : {};
        // Dates that are cancelled already are passed over, so that a call may be repeated.
        await call("post", "/api/series/{id}/cancel/", { params: { id }, body: { ids, ...why }, ...(etag ? { ifMatch: etag } : {}) });
        done(W.datesCancelled(ids.length));
      },
      refused,
    });
  };

  const askNotes = () => {
    const notes = h("textarea", { name: "notes", rows: "4", maxlength: "5000", value: series?.notes ?? "" });
    ask(container, {
      title: W.changeNotes,
      content: [field(W.notes, notes, { hint: W.seriesNotesHint })],
      yes: W.moveIt,
      no: W.close,
      className: "main",
      async act(isAgain) {
        try {
          await call("patch", "/api/series/{id}/", { params: { id }, body: { notes: notes.value }, ...(etag ? { ifMatch: etag } : {}) });
        } catch (error) {
          const isStale = error instanceof Refused && error.status === 412;
          if (!(isAgain && isStale && error.body.current.notes === notes.value)) throw error;
        }
        done(W.moved);
      },
      refused,
    });
  };

  const load = persistently(async () => {
    const [answer, listed] = await Promise.all([
      call("get", "/api/series/{id}/", { params: { id } }), call("get", "/api/series/{id}/dates/", { params: { id } }),
    ]);
    [series, etag, dates] = [answer.body, answer.etag, listed.body];
    show();
  }, (error) => {
    if (error instanceof Refused && [403, 404].includes(error.status)) nowhere(container, W.noSeries);
    else if (!(error instanceof Refused && error.status === 401)) fill(section, heading(W.series), h("p", { class: "told bad" }, wordsOf(error)));
  });
  fill(section, heading(W.series), h("p", { class: "loading" }, W.loading));
  fill(container, section);
  load.attempt();
  const unwatch = watchZone(show);
  return () => {
    load.stop();
    unwatch();
  };
}
