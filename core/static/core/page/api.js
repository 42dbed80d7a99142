/* One way to call the API: token, JSON, tags, keys, and what can go wrong. */

import { current, lose } from "./session.js";
import { W } from "./words.js";

/** The server refused; `message` is in its own words. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   * @param {Headers} headers
   */
  constructor(status, body, headers) {
    super(messageOf(body) || W.refused(status));
    this.status = status;
    this.body = body;
    this.code = typeof body.code === "string" ? body.code : "";
    this.etag = headers.get("ETag");
    this.wait = secondsOf(headers.get("Retry-After"));
  }
}

/** No answer, or none but "not now" or a fault of the server: whether the call was carried out is unknown. `wait` is in seconds. */
export class Away extends Error {
  /**
   * @param {number} wait
   * @param {boolean} isServer Whether a server said so.
   */
  constructor(wait, isServer) {
    super(isServer ? "503" : "no network");
    this.wait = wait;
    this.isServer = isServer;
  }
}

const FIRST_WAIT = 5;
// What an error says beside its fields.
const FACTS = new Set(["error", "code", "detail", "conflicts", "suggestion", "suggestions", "current", "ok", "status"]);

/** The last answers that may be asked again by their tag. @typedef {{etag: string, body: any, next: string | null, at: number}} Remembered */
/** @type {Map<string, Remembered>} */
const remembered = new Map();
const MOST_REMEMBERED = 20;
// A tag knows nothing of the clock, by which the beginning of free time moves on: then the whole answer is asked.
const LONGEST = 150_000;

/**
 * Calls an address of the API.
 *
 * @template {keyof Api.Paths} P
 * @template {Api.MethodOf<P>} M
 * @param {M} method
 * @param {P} path
 * @param {Api.Options<P, M>} [options] `key` is an Idempotency-Key, `ifMatch` a tag; `again` sends the tag of the last answer;
 *   `page` is the `next` of another answer, in place of a query; `isText`: the answer is no JSON; `isAnonymous`: without the token.
 * @returns {Promise<Api.Answer<P, M>>}
 * @throws {Refused} For an answer of 400 to 499.
 * @throws {Away} Without an answer, and for one of 500 and above.
 */
export async function call(method, path, options) {
  /** @type {Api.AnyOptions} */
  const { params = {}, query = {}, body, key, ifMatch, again = false, signal, page, isText = false, isAnonymous = false } = options ?? {};
  const address = page || addressOf(String(path), params, query);
  const session = isAnonymous ? null : current();
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (session) headers.Authorization = `Token ${session.token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (ifMatch) headers["If-Match"] = ifMatch;
  const place = `${session?.token ?? ""} ${address}`;
  const found = again ? remembered.get(place) : undefined;
  const before = found && Date.now() - found.at < LONGEST ? found : undefined;
  if (before) headers["If-None-Match"] = before.etag;

  /** @type {RequestInit} */
  const request = { method: String(method).toUpperCase(), headers, credentials: "omit", cache: "no-store" };
  if (body !== undefined) request.body = JSON.stringify(body);
  if (signal) request.signal = signal;
  const response = await answered(address, request);
  if (response.status === 304 && before) {
    return { ...before, status: 304 };
  }
  const read = await bodyOf(response, signal, isText);
  if (!response.ok) {
    // Only a token can be void; a call without one is asked to sign in.
    if (response.status === 401 && current()?.token === session?.token) lose();
    throw new Refused(response.status, read ?? {}, response.headers);
  }
  const [etag, next] = [response.headers.get("ETag"), nextOf(response.headers)];
  if (again && etag) remember(place, { etag, body: read, next, at: Date.now() });
  return { status: response.status, body: read, etag, next };
}

/**
 * @param {string} address
 * @param {RequestInit} request
 */
async function answered(address, request) {
  let response;
  try {
    response = await fetch(address, request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new Away(FIRST_WAIT, false);
  }
  if (response.status >= 500) {
    throw new Away(secondsOf(response.headers.get("Retry-After")) || FIRST_WAIT, true);
  }
  return response;
}

/**
 * @param {Response} response
 * @param {AbortSignal} [signal]
 * @param {boolean} [isText]
 */
async function bodyOf(response, signal, isText) {
  if (response.status === 204) return null;
  let text;
  try {
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Away(FIRST_WAIT, false);
  }
  if (isText && response.ok) return text;
  try {
    return JSON.parse(text);
  } catch {
    // A page of a proxy, not an answer of the API.
    if (response.ok) throw new Away(FIRST_WAIT, true);
    return null;
  }
}

/**
 * @param {string} path
 * @param {Record<string, unknown>} params
 * @param {Record<string, unknown>} query
 */
function addressOf(path, params, query) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const each of [value].flat()) search.append(name, String(each));
  }
  return search.size ? `${filled}?${search}` : filled;
}

/** Where the next page of a list is. @param {Headers} headers */
function nextOf(headers) {
  const found = /<([^>]*)>;\s*rel="next"/.exec(headers.get("Link") ?? "");
  if (!found?.[1]) return null;
  const { pathname, search } = new URL(found[1], location.href);
  return pathname + search;
}

/** @param {string} place @param {Remembered} answer */
function remember(place, answer) {
  remembered.delete(place);
  remembered.set(place, answer);
  const [oldest] = remembered.keys();
  if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
}

/** @param {string | null} header Seconds, or a date. */
function secondsOf(header) {
  if (!header) return 0;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  return Math.max(0, Math.ceil((Date.parse(header) - Date.now()) / 1000)) || 0;
}

/**
 * What an error of the API says: about several fields, else the messages of the fields, else its detail.
 *
 * @param {Record<string, any>} body
 */
export function messageOf(body) {
  if (Array.isArray(body.non_field_errors)) return body.non_field_errors.join(" ");
  const fields = Object.values(fieldErrors(body));
  return fields.length ? fields.join(" ") : String(body.detail ?? body.error ?? "");
}

/**
 * The messages of an error by field.
 *
 * @param {Record<string, any>} body
 */
export function fieldErrors(body) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const [name, value] of Object.entries(body)) {
    const isMessages = Array.isArray(value) && value.every((each) => typeof each === "string");
    if (isMessages && !FACTS.has(name)) found[name] = value.join(" ");
  }
  return found;
}
