/* What was typed into the form of a booking, kept in this tab until it is booked or given up. */

const KEY = "booking.draft";

/**
 * @typedef {object} Draft
 * @property {number | null} booking The booking that is changed; null for a new one.
 * @property {Record<string, string>} typed The fields, as they were typed.
 * @property {number | null} start The moments that were meant, where the fields had any.
 * @property {number | null} end
 * @property {string} key The Idempotency-Key of the form.
 * @property {boolean} isUnknown Whether the form was sent and no answer came.
 * @property {string} resourceName
 */

/** @param {Draft} draft */
export function keepDraft(draft) {
  sessionStorage.setItem(KEY, JSON.stringify(draft));
}

/**
 * @param {number | null} booking
 * @returns {Draft | null}
 */
export function draftOf(booking) {
  try {
    const draft = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return draft && draft.booking === booking ? draft : null;
  } catch {
    return null;
  }
}

export function hasDraft() {
  return sessionStorage.getItem(KEY) !== null;
}

export function dropDraft() {
  sessionStorage.removeItem(KEY);
}
