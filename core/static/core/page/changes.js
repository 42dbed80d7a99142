/* What differs between two states of a booking, in words. */

import { momentText, spanText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

/** @param {{start_time: string, end_time: string}} booking */
export const spanOf = ({ start_time, end_time }) => ({ start: Date.parse(start_time), end: Date.parse(end_time) });

/** Whether it holds its time. @param {{status?: string | null}} booking */
export const holds = ({ status }) => status === "pending" || status === "confirmed";

/**
 * What a 412 says: which fields somebody else changed.
 *
 * @param {Api.Booking} before
 * @param {Api.Booking} now
 */
export function whatChanged(before, now) {
  const changes = [];
  const zone = shownZone();
  if (before.resource !== now.resource) changes.push(W.changedField(W.resource, before.resource_name, now.resource_name));
  const [old, fresh] = [spanText(spanOf(before), zone), spanText(spanOf(now), zone)];
  if (old !== fresh) changes.push(W.changedField(W.when, old, fresh));
  if (before.status !== now.status) changes.push(W.changedField(W.status, W.statuses[before.status], W.statuses[now.status]));
  if (before.notes !== now.notes) changes.push(W.changedField(W.notes, before.notes || W.none, now.notes || W.none));
  return changes.join(" ");
}

/**
 * The changes of an act of the history, each in a sentence.
 *
 * @param {Api.Act} act
 */
export function changesOf({ kind, changes }) {
  if (kind === "booking.created") return [];
  /** @type {Record<string, string>} */
  const names = W.fields;
  return Object.entries(changes)
    .filter(([name]) => names[name])
    .map(([name, [before, after]]) => W.changedTo(names[name] ?? name, valueText(name, before), valueText(name, after)));
}

/**
 * @param {string} name Of a field.
 * @param {unknown} value
 */
function valueText(name, value) {
  if (value === null || value === undefined || value === "") return W.none;
  if (name === "start_time" || name === "end_time") return momentText(Date.parse(String(value)), shownZone());
  /** @type {Record<string, string>} */
  const statuses = W.statuses;
  return name === "status" ? statuses[String(value)] ?? String(value) : String(value);
}
