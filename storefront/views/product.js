import { get, withQuery } from "../api.js";
import { card, picture } from "../catalogue.js";
import { cart } from "../cart.js";
import { el, fill, icon, toast } from "../dom.js";
import { money } from "../format.js";
import { busy } from "../form.js";
import { listen } from "../stream.js";
import { explain } from "../words.js";

const FEW = 5;
const MOST = 20;

/** One product: its variants, what they cost and how many there are at this moment. */
export async function product({ params, query, signal }) {
  const found = await get(`/v1/products/${encodeURIComponent(params.name)}`, { signal });
  const like = await get(withQuery("/v1/products", { category: found.categories[0], in_stock: true, limit: 5 }), { signal })
    .catch(() => ({ data: [] }));
  const offer = new Offer(found, query.get("variant"));
  listen("inventory", { signal, onEvent: (kind, change) => kind === "stock.changed" && offer.restock(change) });
  return { title: found.title, content: [page(found, offer), alike(like.data.filter(({ id }) => id !== found.id))] };
}

const page = (found, offer) =>
  el("article.product", {},
    el("div.product-picture", {}, picture(found, { eager: true })),
    el("div.product-words", {},
      trail(found),
      el("p.eyebrow", {}, el("a", { href: `/shop?brand=${slug(found.brand)}` }, found.brand)),
      el("h1", {}, found.title),
      offer.price,
      el("p.lead", {}, found.description),
      offer.element,
      found.ingredients && el("details.details", {}, el("summary", {}, "Ingredients"), el("p.small", {}, found.ingredients)),
      el("details.details", {}, el("summary", {}, "Delivery and returns"),
        el("p.small", {}, `Sold by ${found.seller.name}. Packed by hand within a day. What is not opened comes back for free.`))));

const trail = ({ categories: [first] }) =>
  first && el("nav.trail", { "aria-label": "Where this is" },
    el("ol", {},
      el("li", {}, el("a", { href: "/shop" }, "Everything")),
      first.split("/").map((part, index, parts) =>
        el("li", {}, el("a", { href: `/shop?category=${parts.slice(0, index + 1).join("/")}` }, part.replaceAll("-", " "))))));

const slug = (brand) => brand.toLowerCase().replace(/[^a-z0-9]+/g, "-");

const alike = (products) =>
  products.length > 0 && el("section.section", { "aria-labelledby": "alike" },
    el("h2", { id: "alike" }, "From the same shelf"),
    el("ul.grid", {}, products.slice(0, 4).map((one) => card(one))));

/** The choice of a variant and the way into the bag. */
class Offer {
  #variants;
  #chosen;
  #stock = el("p.stock", { role: "status" });
  #button = el("button.button.wide", { id: "add-to-bag" });
  #quantity = el("input", { id: "quantity", name: "quantity", type: "number", min: 1, max: MOST, value: 1, required: true, inputmode: "numeric" });
  #failure = el("p.failure", { role: "alert", hidden: true });

  constructor({ variants }, wanted) {
    this.#variants = variants;
    this.#chosen = variants.find(({ id }) => id === wanted) ?? variants.find(({ available }) => available > 0) ?? variants[0];
    this.price = el("p.price", {});
    this.element = el("form.offer", { onsubmit: (event) => this.#add(event), novalidate: true },
      variants.length > 1 && this.#choices(),
      el("div.offer-row", {}, this.#stepper(), this.#button),
      this.#stock,
      this.#failure);
    this.#show();
  }

  /** What the shop says about the stock while the page is open. */
  restock({ variant_id: id, available }) {
    const variant = this.#variants.find((one) => one.id === id);
    if (!variant) return;
    variant.available = available;
    this.element.querySelector(`[data-variant="${id}"]`)?.classList.toggle("gone", available === 0);
    this.#show();
  }

  #choices() {
    const name = this.#variants[0].options[0]?.name ?? "Variant";
    return el("fieldset.choices", {}, el("legend", {}, name),
      this.#variants.map((variant) =>
        el("label.choice", { "data-variant": variant.id, class: variant.available ? "choice" : "choice gone" },
          el("input", { type: "radio", name: "variant", value: variant.id, checked: variant === this.#chosen, onchange: () => this.#choose(variant) }),
          el("span", {}, variant.title, variant.available === 0 && el("span.sr-only", {}, ", sold out")))));
  }

  #stepper() {
    const step = (by) => {
      this.#quantity.value = Math.min(MOST, Math.max(1, (Number(this.#quantity.value) || 1) + by));
    };
    return el("div.stepper", { role: "group", "aria-label": "Quantity" },
      el("button", { type: "button", "aria-label": "One less", onclick: () => step(-1) }, icon("minus")),
      el("label.sr-only", { for: "quantity" }, "Quantity"),
      this.#quantity,
      el("button", { type: "button", "aria-label": "One more", onclick: () => step(1) }, icon("plus")));
  }

  #choose(variant) {
    this.#chosen = variant;
    history.replaceState(history.state, "", `${location.pathname}?variant=${variant.id}`);
    this.#show();
  }

  #show() {
    const { price, available } = this.#chosen;
    fill(this.price, money(price));
    const text = available === 0 ? "Sold out for now" : available <= FEW ? `Only ${available} left` : "In stock";
    if (this.#stock.textContent !== text) fill(this.#stock, text);
    this.#stock.dataset.state = available === 0 ? "gone" : available <= FEW ? "few" : "there";
    fill(this.#button, available ? "Add to bag" : "Sold out");
    this.#button.disabled = available === 0;
  }

  #add(event) {
    event.preventDefault();
    this.#failure.hidden = true;
    const pieces = Math.min(MOST, Math.max(1, Math.trunc(Number(this.#quantity.value)) || 1));
    this.#quantity.value = pieces;
    return busy(this.#button, async () => {
      try {
        await cart.add(this.#chosen.id, pieces);
        toast("It is in your bag.");
      } catch (error) {
        fill(this.#failure, explain(error));
        this.#failure.hidden = false;
      }
    });
  }
}
