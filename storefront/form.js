import { Problem } from "./api.js";
import { announce, el } from "./dom.js";
import { explain } from "./words.js";

let fields = 0;

/**
 * A field with its label, a hint and a place for what is wrong with it.
 *
 * @param {string} label
 * @param {Record<string, any> & {name: string, hint?: string, optional?: boolean}} options further ones are
 *   attributes of the input
 */
export function field(label, { hint, optional, ...attributes }) {
  const id = `field-${(fields += 1)}`;
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const input = el("input", { id, type: "text", required: !optional, "aria-describedby": described, ...attributes });
  return labelled(label, input, { hint, optional });
}

/** A choice from a list of `[value, text]`. */
export function choice(label, options, { value, ...attributes }) {
  const id = attributes.id ?? `field-${(fields += 1)}`;
  const entries = options.map(([key, text]) => el("option", { value: key, selected: key === value }, text));
  return labelled(label, el("select", { id, ...attributes }, entries), {});
}

function labelled(label, control, { hint, optional }) {
  return el(
    "p.field",
    {},
    el("label", { for: control.id }, label, optional && el("span.quiet", {}, " (optional)")),
    control,
    hint && el("span.hint", { id: `${control.id}-hint` }, hint),
    el("span.error", { id: `${control.id}-error`, hidden: true }),
  );
}

/**
 * A form that is worked on once at a time, and says in words what went wrong.
 *
 * @param {Record<string, any>} attributes
 * @param {(values: Record<string, string>) => Promise<unknown>} work gets the values by name
 * @param {...any} children the last button sends it
 */
export function form(attributes, work, ...children) {
  const failure = el("p.failure", { role: "alert", hidden: true });
  const element = el("form.form", { novalidate: true, ...attributes }, failure, children);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    forgive(element);
    if (!complete(element)) return;
    const values = Object.fromEntries([...new FormData(element)].map(([name, value]) => [name, value.trim()]));
    await busy(event.submitter ?? element, () => work(values)).catch((error) => blame(element, error));
  });
  return element;
}

/** Does `work` while `control` says that it is being done. */
export async function busy(control, work) {
  if (control.getAttribute("aria-busy") === "true") return undefined;
  control.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    control.removeAttribute("aria-busy");
  }
}

function forgive(element) {
  element.querySelector(".failure").hidden = true;
  for (const input of element.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    say(input, "");
  }
}

/** Whether what must be there is there; otherwise says what is not, and leads to the first of it. */
function complete(element) {
  const wrong = [...element.elements].filter((input) => input.willValidate && !input.checkValidity());
  const questions = wrong.filter((input) => !complain(input, input.validationMessage)).map((input) => input.closest("fieldset")?.querySelector("legend"));
  if (questions.length) fail(element, `Please answer: ${[...new Set(questions)].map((legend) => legend?.firstChild.data).join(" ")}`);
  wrong[0]?.focus();
  if (wrong.length) announce(wrong.length === 1 ? "One field needs your attention." : `${wrong.length} fields need your attention.`);
  return wrong.length === 0;
}

function complain(input, text) {
  if (!say(input, text)) return false;
  input.setAttribute("aria-invalid", "true");
  return true;
}

/** Writes into the place for what is wrong with `input`, if it has one. */
function say(input, text) {
  const place = document.getElementById(`${input.id}-error`);
  if (!place) return false;
  place.textContent = text;
  place.hidden = !text;
  return true;
}

function blame(element, error) {
  if (!(error instanceof Problem)) console.warn(error);
  let first = null;
  const others = [];
  for (const { pointer, detail } of error.errors ?? []) {
    const input = element.elements.namedItem(pointer.split("/").at(-1));
    if (input instanceof Element && complain(input, sentence(detail))) first ??= input;
    else others.push(sentence(detail));
  }
  if (first && !others.length) return first.focus();
  fail(element, others.length ? others.join(" ") : explain(error));
}

/** Says what is wrong with the form as a whole. */
function fail(element, text) {
  const failure = element.querySelector(".failure");
  failure.textContent = text;
  failure.hidden = false;
  failure.scrollIntoView({ block: "nearest" });
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
