import { accessToken, refresh } from "./session.js";

/** An answer that is not the one that was hoped for (RFC 9457). */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail ?? body.title ?? `The shop answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

/** The shop could not be reached, or not in time. */
export class Unreachable extends Error {}

const PATIENCE = 20_000;

/** How far we have written, so that we read it also from a copy that is a little behind. */
let position = null;

/**
 * Calls the public API. A token that has expired is renewed on the way.
 *
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, key?: string, match?: string, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 *   `key` is the `Idempotency-Key`, `match` the version that is changed
 * @returns {Promise<{data: any, etag: string | null}>}
 */
export async function call(method, path, { body, key, match, headers = {}, signal } = {}) {
  const fields = { accept: "application/json", ...headers };
  if (body) fields["content-type"] = "application/json";
  if (key) fields["idempotency-key"] = key;
  if (match) fields["if-match"] = match;
  if (position) fields["souk-position"] = position;
  const answer = await send(path, { method, headers: fields, body: body && JSON.stringify(body), signal });
  position = answer.headers.get("souk-position") ?? position;
  const data = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, data ?? {}, answer.headers.get("retry-after"));
  return { data, etag: answer.headers.get("etag") };
}

/** What is at `path`. */
export const get = async (path, options) => (await call("GET", path, options)).data;

/** Sends `body` to `path`. */
export const post = async (path, body, options) => (await call("POST", path, { body, ...options })).data;

async function send(path, options) {
  const token = accessToken();
  const first = await attempt(path, options, token);
  if (first.status !== 401 || !token) return first;
  const still = await refresh(token).catch(unreachable);
  // Much may be read by anybody, so we ask once more even when nobody is signed in now.
  return attempt(path, options, still ? accessToken() : undefined);
}

async function attempt(path, { signal, headers, ...options }, token) {
  const patience = AbortSignal.timeout(PATIENCE);
  const fields = token ? { ...headers, authorization: `Bearer ${token}` } : headers;
  try {
    const both = signal ? AbortSignal.any([signal, patience]) : patience;
    return await fetch(path, { ...options, headers: fields, signal: both });
  } catch (error) {
    if (signal?.aborted) throw error;
    return unreachable();
  }
}

function unreachable() {
  throw new Unreachable("The shop cannot be reached. Check your connection and try again.");
}

/** A text that nobody else has, for an `Idempotency-Key`. Works also where the browser does not trust the connection. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A path with a query of what is not empty. */
export function withQuery(path, query) {
  const filled = Object.entries(query).filter(([, value]) => value != null && value !== "" && value !== false);
  return filled.length ? `${path}?${new URLSearchParams(filled)}` : path;
}
