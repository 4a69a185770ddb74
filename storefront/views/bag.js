import { cart } from "../cart.js";
import { knownProduct, picture } from "../catalogue.js";
import { announce, el, fill, icon } from "../dom.js";
import { money } from "../format.js";
import { busy } from "../form.js";
import { explain } from "../words.js";
import { sums } from "./sums.js";

/** The bag. */
export async function bag({ signal }) {
  await cart.load();
  const place = el("div", {});
  const draw = async () => {
    const products = await Promise.all(cart.content.items.map((item) => item.product_id && knownProduct(item.product_id)));
    if (signal.aborted) return;
    const focused = document.activeElement?.id;
    fill(place, cart.content.items.length ? full(products) : empty());
    if (focused && place.isConnected) document.getElementById(focused)?.focus();
  };
  cart.addEventListener("change", draw, { signal });
  await draw();
  return { title: "Your bag", content: [el("section.section.bag", {}, el("h1", {}, "Your bag"), place)] };
}

const empty = () =>
  el("div.empty", {},
    el("p.lead", {}, "There is nothing in it yet."),
    el("a.button", { href: "/shop" }, "Find something"));

function full(products) {
  const { items, subtotal, shipping } = cart.content;
  const short = items.some((item) => item.available < item.quantity);
  return el("div.two-columns", {},
    el("ul.lines", { id: "bag-lines" }, items.map((item, index) => line(item, products[index]))),
    el("aside.summary", { "aria-label": "Summary" },
      sums(subtotal, shipping),
      short
        ? el("p.notice", {}, "Some of it is not there any more. Change it to go on.")
        : el("a.button.wide", { href: "/checkout", id: "to-checkout" }, "Check out")));
}

function line(item, product) {
  const gone = item.unit_price === null;
  const title = item.title ?? "No longer for sale";
  const failure = el("span.error", { role: "alert", hidden: true });
  const change = (control, quantity) => busy(control, async () => {
    try {
      failure.hidden = true;
      await cart.set(item.variant_id, quantity);
      announce(quantity ? `${quantity} of ${title}.` : `${title} is out of your bag.`);
    } catch (error) {
      // The bag may have been drawn anew meanwhile, so the sentence is said as well.
      fill(failure, explain(error));
      failure.hidden = false;
      announce(explain(error));
    }
  });
  const name = (what) => `${what}-${item.variant_id}`;
  const step = (what, by, label) =>
    el("button", {
      type: "button", id: name(what), "aria-label": `${label}: ${title}`, disabled: gone,
      onclick: (event) => change(event.currentTarget, item.quantity + by),
    }, icon(by < 0 ? "minus" : "plus"));
  return el("li.line", {},
    el("a", { href: product ? `/products/${product.handle}?variant=${item.variant_id}` : "/shop", tabindex: -1, "aria-hidden": "true" }, picture(product, { small: true })),
    el("div.line-words", {},
      el("p.line-title", {}, product ? el("a", { href: `/products/${product.handle}?variant=${item.variant_id}` }, title) : title),
      item.unit_price && el("p.small.quiet", {}, money(item.unit_price), " each"),
      item.available < item.quantity && el("p.small.warning", {}, item.available ? `Only ${item.available} left` : "Sold out for now"),
      failure),
    el("div.stepper", { role: "group", "aria-label": `Quantity of ${title}` },
      step("less", -1, "One less"),
      el("span.stepper-value", { id: name("quantity") }, item.quantity),
      step("more", 1, "One more")),
    el("p.line-total", {}, item.line_total ? money(item.line_total) : "—"),
    el("button.text-link.small", {
      type: "button", id: name("remove"), "aria-label": `Take out ${title}`, onclick: (event) => change(event.currentTarget, 0),
    }, "Take out"));
}
