// What is wrong with the page for those who see little, listen, use a keyboard or large fingers.
// The body of a function; answers with sentences.
const wrong = [];
const shown = (element) => element.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true }) && element.getClientRects().length > 0;
const name = (element) => `<${element.tagName.toLowerCase()}${element.id ? ` id=${element.id}` : ""} class="${element.className}"> ${(element.innerText ?? "").slice(0, 40)}`;
const check = (holds, element, text) => holds || wrong.push(`${text}: ${name(element)}`);

// Structure.
if (!document.documentElement.lang) wrong.push("the page does not say its language");
if (!document.title) wrong.push("the page has no title");
if (document.querySelectorAll("h1").length !== 1) wrong.push(`${document.querySelectorAll("h1").length} first headings`);
for (const landmark of ["main", "header", "footer", "nav"]) {
  if (!document.querySelector(landmark)) wrong.push(`no ${landmark}`);
}
let level = 0;
for (const heading of document.querySelectorAll("main :is(h1, h2, h3, h4)")) {
  const own = Number(heading.tagName[1]);
  check(own <= level + 1, heading, "a heading skips a level");
  level = own;
}
const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) wrong.push(`the id ${id} is there twice`);
for (const attribute of ["aria-labelledby", "aria-describedby", "for"]) {
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(" ")) check(document.getElementById(id), element, `${attribute} names ${id}, which is not there`);
  }
}

// Names.
for (const image of document.images) check(image.hasAttribute("alt"), image, "a picture without words");
for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
  check([...input.labels].some((label) => label.textContent.trim()) || input.ariaLabel, input, "a field without a label");
}
for (const element of document.querySelectorAll("a[href], button, summary")) {
  if (element.ariaHidden === "true") continue;
  const words = element.ariaLabel || element.textContent.trim() || element.querySelector("img[alt]:not([alt=''])")?.alt;
  check(words, element, "nothing says what it is for");
}

// Room for fingers: 24 by 24 at least (WCAG 2.2, 2.5.8), but for links within a sentence.
for (const element of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
  if (!shown(element) || element.closest(".skip")) continue;
  const { width, height } = (element.labels?.[0]?.matches(".choice, .option") ? element.labels[0] : element).getBoundingClientRect();
  const within = element.matches("p a, address a, li.log a") && getComputedStyle(element).display === "inline";
  check(within || element.type === "radio" || element.type === "checkbox" || (width >= 24 && height >= 24), element, `only ${Math.round(width)} by ${Math.round(height)} to touch`);
}

// Everything fits.
const room = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > room) {
  const wide = [...document.querySelectorAll("main *, header, footer")].filter((one) => shown(one) && one.getBoundingClientRect().right > room + 1);
  wrong.push(`wider than the screen: ${wide.slice(0, 3).map(name).join("; ")}`);
}

// Contrast (WCAG 2.2, 1.4.3).
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if ((channels(colour)[3] ?? 1) === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !shown(element) || element.closest(":disabled, .sr-only, .skip, svg, option")) continue;
  const { color, fontSize } = getComputedStyle(element);
  const [one, other] = [light(color), light(ground(element))];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  check(ratio >= (parseFloat(fontSize) >= 24 ? 3 : 4.5), element, `a contrast of ${ratio.toFixed(2)}`);
}
return wrong;
