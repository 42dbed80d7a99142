/* The one form of a booking: a new one, or how one is to be changed. The dry run speaks while one types. */

import { Away, call, messageOf, Refused } from "./api.js";
import { scopeField, showSuggestions, showVerdicts } from "./dates.js";
import { debounced, field, fill, h } from "./dom.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";
import { momentFields } from "./moment_fields.js";
import { repeatFields } from "./repeat_fields.js";
import { askSignIn } from "./router.js";
import { waitOf, wordsOf } from "./say.js";
import { current } from "./session.js";
import { watchZone } from "./shown.js";
import { W } from "./words.js";
import { iso } from "./zones.js";

const QUIET = 300;

/**
 * @param {object} about
 * @param {Page.Bookable[]} about.resources
 * @param {{resource: number, start: number, end: number, notes?: string} | null} about.wanted What to fill in.
 * @param {{booking: Api.Booking, etag: string | null} | null} about.changed The booking to change.
 * @param {(booking: Api.Booking, etag: string | null) => void} about.onDone
 * @param {(series: Api.NewSeries) => void} [about.onSeries] Where it may repeat.
 * @param {(error: Refused) => string} [about.onStale] What a 412 says.
 * @returns {Page.Form}
 */
export function bookingForm({ resources, wanted, changed, onDone, onSeries, onStale }) {
  const bookingId = changed?.booking.id ?? null;
  const draft = draftOf(bookingId);
  const key = draft?.key ?? crypto.randomUUID();
  let etag = changed?.etag ?? null;
  let isSending = false;
  let isUnknown = draft?.isUnknown ?? false;
  // After a refusal, a suggestion is booked by one click.
  let isRefused = false;
  let isLeft = false;
  /** @type {number | undefined} */
  let retry;
  /** @type {AbortController | undefined} */
  let asked;

  const resource = h("select", { name: "resource", required: true });
  /** @param {Page.Bookable} each */
  const offer = (each) => {
    if (![...resource.options].some((option) => option.value === String(each.id))) {
      resource.append(h("option", { value: each.id }, each.name));
    }
  };
  resources.forEach(offer);
  const notes = h("textarea", { name: "notes", rows: "2", maxlength: "5000" });
  const told = h("p", { class: "told", role: "status", "aria-live": "polite" });
  const instead = h("div", { class: "instead" });
  const dates = h("div");
  const button = h("button", { class: "main" });
  const times = momentFields((words) => words && tell(words), () => edited());
  const repeats = onSeries && repeatFields(() => edited());
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
    const { start, end } = times.span();
    const typed = { ...times.typed(), ...repeats?.typed(), scope: scope?.value() ?? "", resource: resource.value, notes: notes.value };
    const resourceName = resource.selectedOptions[0]?.textContent ?? "";
    keepDraft({ booking: bookingId, typed, start, end, key, isUnknown, resourceName });
  };

  const problem = () => times.problem() || repeats?.problem() || "";

  /** What is wanted, as the API reads it; null while something is missing. */
  const read = () => {
    const { start, end } = times.span();
    if (problem() || start === null || end === null || !resource.value) return null;
    return { resource: Number(resource.value), start_time: iso(start), end_time: iso(end), notes: notes.value };
  };

  // --- The dry run --------------------------------------------------------------------------------------------------

  const check = debounced(async () => {
    const body = read();
    if (!body || isSending || isUnknown || isLeft) return;
    if (!current()) {
      tell(W.signInToCheck);
      return;
    }
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const answer = repeats?.isOn()
        ? await call("post", "/api/series/check/", { body: { ...body, ...repeats.body() }, signal })
        : await call("post", "/api/bookings/check/", {
          body: bookingId === null ? body : { ...body, id: bookingId }, signal, ...(scope ? { query: { scope: scope.value() } } : {}),
        });
      if (signal.aborted || isSending) return;
      const found = /** @type {Record<string, any>} */ (answer.body);
      const rule = found.rule_text ? `${found.rule_text}: ` : "";
      if (found.ok) {
        const waits = resources.find((each) => each.id === body.resource)?.waits;
        const words = bookingId !== null ? W.canBeMoved : waits ? W.waitsForStaff : W.canBeBooked;
        tell(rule ? rule + W.datesPossible(found.dates) : words, "good");
      } else {
        tell(rule + messageOf(found), "bad");
      }
      showVerdicts(dates, found.dates ?? [], repeats && swap);
      suggest(found.suggestions ?? []);
    } catch (error) {
      if (signal.aborted || isLeft) return;
      tell(wordsOf(error), "bad");
      const wait = waitOf(error);
      if (wait !== null) retry = setTimeout(check, wait * 1000);
    }
  }, QUIET);

  /** @param {Api.Suggestion[]} suggestions */
  const suggest = (suggestions) => showSuggestions(instead, suggestions, {
    books: isRefused,
    take(each) {
      offer({ id: each.resource, name: each.resource_name });
      resource.value = String(each.resource);
      times.set({ start: Date.parse(each.start_time), end: Date.parse(each.end_time) });
      const books = isRefused;
      edited();
      if (books) form.requestSubmit();
      else times.first.focus();
    },
  });

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
    repeats?.begin(times.span().start);
    if (repeats && !repeats.isOn()) fill(dates);
    keep();
    if (read()) tell(current() ? W.checking : W.signInToCheck);
    else if (repeats?.problem()) tell(repeats.problem());
    check();
  };

  // --- Sending ------------------------------------------------------------------------------------------------------

  const dress = () => {
    fields.disabled = isUnknown || isSending;
    const usual = bookingId === null ? W.bookIt : W.moveIt;
    fill(button, isUnknown ? W.askAgain : current() ? usual : W.signInToBook);
    button.setAttribute("aria-disabled", String(isSending));
  };

  const send = () => {
    const body = /** @type {NonNullable<ReturnType<typeof read>>} */ (read());
    if (repeats?.isOn()) return call("post", "/api/series/", { body: { ...body, ...repeats.body() }, key });
    if (bookingId === null) return call("post", "/api/bookings/", { body, key });
    const query = scope ? { query: { scope: scope.value() } } : {};
    return call("patch", "/api/bookings/{id}/", { params: { id: bookingId }, body, ...query, ...(etag ? { ifMatch: etag } : {}) });
  };

  /** @param {Event} [event] */
  const submit = async (event) => {
    event?.preventDefault();
    if (isSending || isLeft) return;
    keep();
    if (!current()) {
      askSignIn();
      return;
    }
    if (!read()) {
      tell(problem() || W.incomplete, "bad");
      return;
    }
    check.stop();
    asked?.abort();
    clearTimeout(retry);
    const wasUnknown = isUnknown;
    isSending = true;
    dress();
    fill(instead);
    fill(dates);
    tell(W.sending);
    try {
      const { body, etag: tag } = await send();
      dropDraft();
      if (isLeft) return;
      if ("made" in body) onSeries?.(body);
      else onDone(body, tag);
    } catch (error) {
      isSending = false;
      refused(error, wasUnknown);
    }
    isSending = false;
    if (!isLeft) dress();
  };

  /** Whether a booking is what the form says. @param {Api.Booking} booking */
  const isAsWanted = (booking) => {
    const { start, end } = times.span();
    return String(booking.resource) === resource.value && booking.notes === notes.value &&
      Date.parse(booking.start_time) === start && Date.parse(booking.end_time) === end;
  };

  /** @param {unknown} error @param {boolean} wasUnknown */
  const refused = (error, wasUnknown) => {
    isUnknown = error instanceof Away;
    if (isLeft) {
      // The view is gone, such as to the sign-in; what is not known stays on record.
      if (isUnknown) keep();
      return;
    }
    keep();
    if (error instanceof Away) {
      tell(`${wordsOf(error)} ${W.unknown}`, "bad");
      retry = setTimeout(submit, error.wait * 1000);
    } else if (error instanceof Refused && error.status === 412) {
      if (wasUnknown && isAsWanted(error.body.current)) {
        // The change went through, and its answer was lost.
        dropDraft();
        onDone(error.body.current, error.etag);
        return;
      }
      etag = error.etag;
      tell(onStale?.(error) ?? error.message, "bad");
    } else {
      isRefused = true;
      tell(wordsOf(error), "bad");
      const body = error instanceof Refused ? error.body : {};
      showVerdicts(dates, body.dates ?? [], repeats && swap);
      suggest(body.suggestions ?? []);
    }
  };

  // --- Beginning ----------------------------------------------------------------------------------------------------

  form.addEventListener("submit", submit);
  resource.addEventListener("change", edited);
  notes.addEventListener("input", keep);
  const unwatch = watchZone(() => {
    times.rewrite();
    // A series goes by the clock of the zone.
    if (repeats?.isOn() && !isUnknown) edited();
  });

  if (draft) {
    if (draft.typed.resource) offer({ id: Number(draft.typed.resource), name: draft.resourceName });
    resource.value = draft.typed.resource ?? "";
    notes.value = draft.typed.notes ?? "";
    if (draft.start !== null && draft.end !== null) times.set({ start: draft.start, end: draft.end });
    else times.restore(draft.typed);
    repeats?.begin(times.span().start);
    repeats?.restore(draft.typed);
    scope?.set(draft.typed.scope);
  } else if (wanted) {
    resource.value = String(wanted.resource);
    notes.value = wanted.notes ?? "";
    times.set(wanted);
    repeats?.begin(wanted.start);
  }
  keep();
  if (isUnknown) tell(W.unknown, "bad");
  else check();
  dress();

  return {
    element: form,
    leave() {
      isLeft = true;
      check.stop();
      clearTimeout(retry);
      asked?.abort();
      unwatch();
    },
  };
}
