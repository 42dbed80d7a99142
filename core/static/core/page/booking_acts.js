/* What may be done to a booking after a question: cancel it, and take that back. */

import { call, Refused } from "./api.js";
import { ask } from "./ask.js";
import { holds } from "./changes.js";
import { field, h } from "./dom.js";
import { scopeField } from "./scope_field.js";
import { showSuggestions } from "./suggestions.js";
import { showVerdicts } from "./verdict_list.js";
import { W } from "./words.js";

/**
 * @typedef {object} About
 * @property {HTMLElement} container The view.
 * @property {Api.Booking} booking
 * @property {string | null} etag
 * @property {(error: Refused) => string} onStale Takes what a 412 shows; returns what somebody else changed.
 * @property {(words: string) => Promise<void>} onDone
 */

/** Why something is cancelled. */
export const reasonField = () => h("textarea", { name: "reason", rows: "2", maxlength: "500" });

/** @param {About} about */
export function askCancel(about) {
  const isRepeated = Boolean(about.booking.series);
  const reason = reasonField();
  const scope = isRepeated ? scopeField() : null;
  askToChange(about, {
    title: W.cancelSure,
    content: [h("p", {}, isRepeated ? W.cancelDatesNote : W.cancelNote), scope?.element ?? null, field(W.reason, reason, { hint: W.reasonHint })],
    yes: W.yesCancel,
    no: W.keepIt,
    className: "danger",
    scope: () => scope?.value() ?? "this",
    body: async () => ({ status: "cancelled", ...(reason.value.trim() ? { reason: reason.value } : {}) }),
    isDone: (booking) => booking.status === "cancelled",
    words: W.cancelled,
  });
}

/** @param {About} about */
export function askRevive(about) {
  const { booking } = about;
  const scope = booking.series ? scopeField(undefined, W.reviveHint) : null;
  askToChange(about, {
    title: W.reviveSure,
    content: [h("p", {}, W.reviveNote), scope?.element ?? null],
    yes: W.yesRevive,
    no: W.leaveCancelled,
    className: "main",
    scope: () => scope?.value() ?? "this",
    async body(place) {
      // The API gives the dates of a series their first status.
      if (scope && scope.value() !== "this") return {};
      const { body } = await call("get", "/api/resources/{id}/", { params: { id: place?.resource ?? booking.resource } });
      return { status: body.requires_approval ? "pending" : "confirmed" };
    },
    isDone: holds,
    words: W.revived,
  });
}

/** @typedef {{resource: number, start_time: string, end_time: string}} Place */

/**
 * @param {About} about
 * @param {object} how
 * @param {string} how.title
 * @param {(Node | string | null)[]} how.content
 * @param {string} how.yes
 * @param {string} how.no
 * @param {string} how.className
 * @param {() => Api.Scope} how.scope
 * @param {(place: Place | null) => Promise<{status?: Api.Booking["status"], reason?: string}>} how.body
 * @param {(booking: Api.Booking) => boolean} how.isDone Whether a booking is as wanted: the answer of before was lost.
 * @param {string} how.words Once it is done.
 */
function askToChange({ container, booking, etag, onStale, onDone }, { scope, body, isDone, words, ...shown }) {
  /** Where a suggestion puts it. @type {Place | null} */
  let place = null;

  const question = ask(container, {
    ...shown,
    async act(isAgain) {
      const wanted = scope();
      const repeated = wanted === "this" ? {} : { scope: wanted, ...(shown.className === "main" ? { reset_exceptions: true } : {}) };
      try {
        await call("patch", "/api/bookings/{id}/", {
          params: { id: booking.id }, query: repeated, body: { ...(await body(place)), ...place }, ...(etag ? { ifMatch: etag } : {}),
        });
      } catch (error) {
        const isStale = error instanceof Refused && error.status === 412;
        if (!(isAgain && isStale && isDone(error.body.current))) throw error;
      }
      onDone(words);
    },
    refused(error, more) {
      place = null;
      if (!(error instanceof Refused)) return null;
      if (error.status === 412) {
        etag = error.etag;
        return `${W.changedBefore} ${onStale(error)}`;
      }
      if (error.body.dates) {
        showVerdicts(more, error.body.dates);
      } else {
        showSuggestions(more, error.body.suggestions ?? [], {
          books: true,
          take({ resource, start_time, end_time }) {
            place = { resource, start_time, end_time };
            question.press();
          },
        });
      }
      return null;
    },
  });
}
