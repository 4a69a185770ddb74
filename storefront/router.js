import { Problem, newKey } from "./api.js";
import { announce, el, fill } from "./dom.js";
import { explain } from "./words.js";

/** What a page is given. */
class Visit {
  #ending = new AbortController();

  constructor(params, query, hash) {
    this.params = params;
    this.query = query;
    this.hash = hash;
  }

  /** Ends when the person leaves the page: streams and requests go with it. */
  get signal() {
    return this.#ending.signal;
  }

  leave() {
    this.#ending.abort();
  }
}

/** How long an answer may take before the person is told that we wait for one. */
const UNNOTICED = 150;
const NAME = "Maren Vale";

let routes = [];
let visit = null;
let shown = null;
const scrolled = new Map();
const main = () => document.getElementById("main");

/**
 * Shows pages at their addresses from now on.
 *
 * @param {Array<[string, (visit: Visit) => Promise<{title: string, content: Node[]}>]>} table `/products/:name` and
 *   what is there
 */
export function start(table) {
  routes = table.map(([path, page]) => [path.split("/"), page]);
  history.scrollRestoration = "manual";
  addEventListener("popstate", () => show({ scroll: scrolled.get(history.state?.key) ?? 0 }));
  document.addEventListener("click", follow);
  return show({ focus: false });
}

/**
 * Goes to another page.
 *
 * @param {string} address
 * @param {{replace?: boolean, stay?: boolean}} [options] `stay`: neither focus nor scrolling change, because the
 *   person is in the middle of something
 */
export function go(address, { replace = false, stay = false } = {}) {
  remember();
  const state = { key: newKey() };
  if (replace) history.replaceState(state, "", address);
  else history.pushState(state, "", address);
  return show({ focus: !stay, scroll: stay ? scrollY : 0 });
}

/** Shows the present page anew. */
export const again = () => show({ focus: false, scroll: scrollY });

/** Sends somebody who has to sign in first to do so, and back. */
export function signInFirst() {
  const next = location.pathname + location.search;
  return go(`/signin?next=${encodeURIComponent(next)}`, { replace: true });
}

/** Where somebody wanted to go before they had to sign in; only within the shop. */
export function nextAddress(query) {
  const next = query.get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) ? next : "/";
}

function remember() {
  if (shown) scrolled.set(shown, scrollY);
}

/** Links within the shop are followed here; whatever else the person wants of a link is the browser's business. */
function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.origin !== location.origin || !find(link.pathname) || "leaves" in link.dataset) return;
  event.preventDefault();
  if (link.hash && link.pathname === location.pathname) {
    document.getElementById(link.hash.slice(1))?.focus();
    return;
  }
  go(link.pathname + link.search);
}

function find(path) {
  const parts = path.split("/");
  for (const [pattern, page] of routes) {
    if (pattern.length !== parts.length) continue;
    const params = {};
    const fits = pattern.every((part, index) => {
      if (!part.startsWith(":")) return part === parts[index];
      params[part.slice(1)] = decodeURIComponent(parts[index]);
      return parts[index] !== "";
    });
    if (fits) return { page, params };
  }
  return null;
}

async function show({ focus = true, scroll = 0 }) {
  remember();
  visit?.leave();
  const { page, params } = find(location.pathname) ?? { page: nothingHere, params: {} };
  const mine = (visit = new Visit(params, new URLSearchParams(location.search), location.hash));
  main().setAttribute("aria-busy", "true");
  const waiting = setTimeout(() => focus && fill(main(), loading()), UNNOTICED);
  const result = await page(mine).catch((error) => broken(error, mine));
  clearTimeout(waiting);
  if (mine.signal.aborted || !result) return;
  const { title, content } = result;
  const focused = document.activeElement?.id;
  fill(main(), content);
  main().removeAttribute("aria-busy");
  document.title = title === NAME ? NAME : `${title} · ${NAME}`;
  shown = history.state?.key ?? "first";
  markCurrent();
  scrollTo({ top: scroll, behavior: "instant" });
  if (focus) {
    const heading = main().querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
    announce(title);
  } else if (focused && document.activeElement?.id !== focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

function markCurrent() {
  for (const link of document.querySelectorAll(".site-header a, .demo-bar a")) {
    const here = link.getAttribute("href") === location.pathname + location.search;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

const loading = () => el("div.loading", { role: "status" }, el("span.loading-mark", {}), "One moment");

async function nothingHere() {
  return {
    title: "Not here",
    content: [sorry("There is nothing here", "The page may have moved, or the link is not whole.", el("a.button", { href: "/shop" }, "Go to the shop"))],
  };
}

async function broken(error, { signal }) {
  if (signal.aborted) return null;
  if (error instanceof Problem && error.status === 401) {
    signInFirst();
    return null;
  }
  if (error instanceof Problem && error.status === 404) {
    return { title: "Not found", content: [sorry("Not found", explain(error), el("a.button", { href: "/shop" }, "Go to the shop"))] };
  }
  if (!(error instanceof Problem)) console.warn(error);
  const retry = el("button.button", { type: "button", onclick: () => again() }, "Try again");
  return { title: "Something went wrong", content: [sorry("That did not work", explain(error), retry)] };
}

const sorry = (title, text, action) => el("section.sorry.narrow", {}, el("h1", {}, title), el("p", {}, text), action);
