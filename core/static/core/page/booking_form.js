/* The one form of a booking: a new one, or how one is to be changed. The dry run speaks while one types. */

import { Away, call, messageOf, Refused } from "./api.js";
import { debounced, field, fill, h } from "./dom.js";
import { draftOf, dropDraft, isKept, keepDraft } from "./drafts.js";
import { momentFields } from "./moment_fields.js";
import { resourceField, scopeField, showSuggestions, showVerdicts } from "./offers.js";
import { repeatFields } from "./repeat_fields.js";
import { askSignIn } from "./router.js";
import { say, waitOf, wordsOf } from "./say.js";
import { current } from "./session.js";
import { watchZone } from "./shown.js";
import { W } from "./words.js";
import { iso } from "./zones.js";

const QUIET = 300;

/** @param {Page.AboutForm} about @returns {Page.Form} */
export function bookingForm({ resources, wanted, changed, day, repeats: mayRepeat = false, onDone, onStale }) {
  const bookingId = changed?.booking.id ?? null;
  const draft = draftOf(bookingId);
  const key = draft?.key ?? crypto.randomUUID();
  // What the change began from, by whose tag the API finds a later one.
  let seen = draft?.seen ?? changed;
  let owner = draft?.owner ?? "";
  let isSending = false;
  // What was sent, until an answer settles it; the same is sent again.
  let sent = draft?.sent ?? null;
  // After a refusal, a suggestion is booked by one click.
  let isRefused = false;
  let isLeft = false;
  // Given up while it was sent.
  let isClosed = false;
  /** @type {number | undefined} */
  let retry;
  /** @type {AbortController | undefined} */
  let asked;

  const { control: resource, offer, waits } = resourceField(resources);
  const notes = h("textarea", { name: "notes", rows: "2", maxlength: "5000" });
  const told = h("p", { class: "told", role: "status", "aria-live": "polite" });
  const instead = h("div", { class: "instead" });
  const dates = h("div");
  const button = h("button", { class: "main" });
  const times = momentFields((words) => words && tell(words), () => edited());
  const repeats = mayRepeat ? repeatFields(() => edited()) : null;
  const scope = changed?.booking.series ? scopeField(W.scopeHint, () => edited()) : null;
  const fields = h("fieldset", {}, scope?.element, field(W.resource, resource, { className: "wide" }), times.elements,
    field(W.notes, notes, { hint: W.notesHint, className: "wide" }), repeats?.elements ?? []);
  const form = h("form", { class: "booking" }, fields, told, dates, instead, button);

  /** @param {string} words @param {"good" | "bad" | ""} [mood] */
  function tell(words, mood = "") {
    told.className = `told ${mood}`;
    fill(told, words);
  }

  const keep = () => {
    if ((isLeft || isClosed) && !isKept(key)) return;
    const { start, end } = times.span();
    const typed = { ...times.typed(), ...repeats?.typed(), scope: scope?.value() ?? "", resource: resource.value, notes: notes.value };
    const resourceName = resource.selectedOptions[0]?.textContent ?? "";
    owner ||= current()?.username ?? "";
    keepDraft({ booking: bookingId, owner, seen, typed, start, end, key, sent, resourceName });
  };

  const problem = () => times.problem() || repeats?.problem() || "";

  /** What is wanted, as the API reads it; null while something is missing. @returns {Page.Sent | null} */
  const read = () => {
    const { start, end } = times.span();
    if (problem() || start === null || end === null || !resource.value) return null;
    const wish = { resource: Number(resource.value), start_time: iso(start), end_time: iso(end), notes: notes.value };
    return repeats?.isOn() ? { ...wish, ...repeats.body() } : wish;
  };

  // --- The dry run --------------------------------------------------------------------------------------------------

  const check = debounced(async () => {
    const body = read();
    if (!body || sent || isLeft) return;
    if (!current()) return tell(W.signInToCheck);
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const answer = "rrule" in body
        ? await call("post", "/api/series/check/", { body, signal })
        : await call("post", "/api/bookings/check/", {
          body: bookingId === null ? body : { ...body, id: bookingId }, signal, ...(scope ? { query: { scope: scope.value() } } : {}),
        });
      if (signal.aborted || sent) return;
      const found = /** @type {Record<string, any>} */ (answer.body);
      const rule = found.rule_text ? `${found.rule_text}: ` : "";
      if (found.ok) {
        const words = bookingId !== null ? W.canBeMoved : waits() ? W.waitsForStaff : W.canBeBooked;
        tell(rule ? rule + W.datesPossible(found.dates) : words, "good");
      } else {
        tell(rule + messageOf(found), "bad");
      }
      suggest(found);
    } catch (error) {
      if (signal.aborted || isLeft) return;
      tell(wordsOf(error), "bad");
      const wait = waitOf(error);
      if (wait !== null) retry = setTimeout(check, wait * 1000);
    }
  }, QUIET);

  /** Shows what becomes of each date, and what could be booked instead. @param {Record<string, any>} found */
  const suggest = (found) => {
    const books = isRefused;
    showVerdicts(dates, found.dates ?? [], repeats ? swap : undefined);
    showSuggestions(instead, found.suggestions ?? [], { books, take(each) {
      offer([{ id: each.resource, name: each.resource_name }]);
      resource.value = String(each.resource);
      times.set({ start: Date.parse(each.start_time), end: Date.parse(each.end_time) });
      edited();
      if (books) form.requestSubmit();
      else times.first.focus();
    } });
  };

  /** @param {string} local @param {string} start */
  const swap = (local, start) => {
    repeats?.swap(local, start);
    keep();
    tell(W.checking);
    check();
  };

  const edited = () => {
    isRefused = false;
    clearTimeout(retry);
    asked?.abort();
    fill(instead);
    fill(dates);
    repeats?.begin(times.span().start);
    keep();
    if (read()) tell(current() ? W.checking : W.signInToCheck);
    else if (repeats?.problem()) tell(repeats.problem());
    check();
  };

  // --- Sending ------------------------------------------------------------------------------------------------------

  const dress = () => {
    fields.disabled = sent !== null;
    const usual = bookingId === null ? W.bookIt : W.moveIt;
    fill(button, sent && !isSending ? W.askAgain : current() ? usual : W.signInToBook);
    button.setAttribute("aria-disabled", String(isSending));
  };

  /** @param {Page.Sent} body */
  const send = (body) => {
    if ("rrule" in body) return call("post", "/api/series/", { body, key });
    if (bookingId === null) return call("post", "/api/bookings/", { body, key });
    const query = scope ? { query: { scope: scope.value() } } : {};
    return call("patch", "/api/bookings/{id}/", { params: { id: bookingId }, body, ...query, ...(seen?.etag ? { ifMatch: seen.etag } : {}) });
  };

  /** @param {Event} [event] */
  const submit = async (event) => {
    event?.preventDefault();
    if (isSending || isLeft) return;
    keep();
    if (!current()) return askSignIn();
    const body = sent ?? read();
    if (!body) return tell(problem() || W.incomplete, "bad");
    check.stop();
    asked?.abort();
    clearTimeout(retry);
    const wasUnknown = sent !== null;
    isSending = true;
    sent = body;
    keep();
    dress();
    fill(instead);
    fill(dates);
    tell(W.sending);
    try {
      done((await send(body)).body);
    } catch (error) {
      refused(error, wasUnknown);
    }
    isSending = false;
    if (!isLeft) dress();
  };

  /** @param {Api.Booking | Api.NewSeries} made */
  const done = (made) => {
    dropDraft(key);
    const words = "made" in made ? W.bookedDates(made.made.length, made.skipped.length)
      : bookingId !== null ? W.moved : made.status === "pending" ? W.bookedPending : W.bookedNow;
    if (!isLeft) onDone(made, words);
    else if (current()?.username === owner) say(words);
  };

  /** Whether a booking is what the form says. @param {Api.Booking} booking */
  const isAsWanted = (booking) => {
    const { start, end } = times.span();
    return String(booking.resource) === resource.value && booking.notes === notes.value &&
      Date.parse(booking.start_time) === start && Date.parse(booking.end_time) === end;
  };

  /** @param {unknown} error @param {boolean} wasUnknown */
  const refused = (error, wasUnknown) => {
    const status = error instanceof Refused ? error.status : 0;
    // Neither a sign-in nor a pause tells what became of the call before.
    if (!(error instanceof Away || (wasUnknown && [401, 429].includes(status)))) sent = null;
    let words = wordsOf(error);
    if (sent) {
      words += ` ${W.unknown}`;
    } else if (error instanceof Refused && status === 412) {
      if (wasUnknown && isAsWanted(error.body.current)) {
        // The change went through, and its answer was lost.
        return done(error.body.current);
      }
      words = onStale?.(error, seen?.booking) ?? words;
      seen = { booking: error.body.current, etag: error.etag };
    }
    keep();
    if (isLeft || isClosed) {
      if (isClosed && !sent) dropDraft(key);
      leave();
      if (status !== 401) say(words, { isBad: true });
      return;
    }
    tell(words, "bad");
    if (sent) {
      retry = setTimeout(submit, (waitOf(error) ?? 0) * 1000);
    } else if (status !== 412) {
      isRefused = true;
      suggest(/** @type {Refused} */ (error).body);
    }
  };

  // --- Beginning ----------------------------------------------------------------------------------------------------

  form.addEventListener("submit", submit);
  resource.addEventListener("change", edited);
  notes.addEventListener("input", keep);
  const unwatch = watchZone(() => {
    times.rewrite();
    keep();
    // A series goes by the clock of the zone.
    if (repeats?.isOn() && !sent) edited();
  });

  if (draft) {
    if (draft.typed.resource) offer([{ id: Number(draft.typed.resource), name: draft.resourceName }]);
    resource.value = draft.typed.resource ?? "";
    notes.value = draft.typed.notes ?? "";
    times.restore(draft.typed, draft);
    repeats?.begin(times.span().start);
    repeats?.restore(draft.typed);
    scope?.set(draft.typed.scope);
  } else if (wanted) {
    resource.value = String(wanted.resource);
    notes.value = wanted.notes ?? "";
    times.set(wanted);
    repeats?.begin(wanted.start);
  } else if (day) {
    times.restore({ day, end_day: day }, { start: null, end: null });
    tell("");
  }
  keep();
  if (sent) tell(W.unknown, "bad");
  else check();
  dress();

  const leave = () => {
    isLeft = true;
    check.stop();
    clearTimeout(retry);
    asked?.abort();
    unwatch();
  };

  return {
    element: form,
    leave,
    close() {
      isClosed = isSending;
      if (isClosed) return;
      if (sent) say(W.unknown);
      else dropDraft(key);
      leave();
    },
  };
}
