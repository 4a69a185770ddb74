/**
 * Makes an element. Texts become text nodes, so data never becomes markup.
 *
 * @param {string} name the tag, with classes: `p.small.quiet`
 * @param {Record<string, unknown>} [attributes] `onclick` and its kin are listeners; null and false are left out
 * @param {...(Node | string | number | null | undefined | false | Array)} children
 */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) set(element, key, value);
  element.append(...nodes(children));
  return element;
}

function set(element, key, value) {
  if (value == null || value === false) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "value") element.value = value;
  else element.setAttribute(key, value === true ? "" : value);
}

/** What remains of `children` once lists are flat and nothing is nothing. */
function nodes(children) {
  return children.flat(Infinity).filter((child) => child != null && child !== false && child !== "");
}

/** Puts `children` in the place of what `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

const SHAPES = {
  minus: "M5 12h14",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.5l4.5 4.5L19 7.5",
  arrow: "M5 12h14M13 6l6 6-6 6",
};

/** A small drawing that says nothing to those who listen. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const attributes = { viewBox: "0 0 24 24", width: 20, height: 20, class: "icon", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) drawing.setAttribute(key, value);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  drawing.append(path);
  return drawing;
}

/** Says something to those who listen, politely. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  announcer.textContent = "";
  // The same text twice is said twice.
  requestAnimationFrame(() => (announcer.textContent = text));
}

const TOAST_STAYS = 4000;

/** Shows a short sentence for a moment, and says it. */
export function toast(text) {
  const shown = el("p.toast", {}, text);
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), TOAST_STAYS);
  announce(text);
}
