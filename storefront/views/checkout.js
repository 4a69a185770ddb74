import { call, get, newKey } from "../api.js";
import { cart } from "../cart.js";
import { el } from "../dom.js";
import { addressLines, money } from "../format.js";
import { choice, field, form } from "../form.js";
import { go } from "../router.js";
import { signedIn } from "../session.js";
import { rememberBought } from "./bought.js";
import { sums, total } from "./sums.js";

/** The sandbox's cards. What is bought with them is bought as with any, but no money moves. */
const CARDS = [
  ["tok_visa", "Visa ending in 4242", "Pays at once"],
  ["tok_challenge", "Visa that asks first", "The bank wants you to confirm it"],
  ["tok_declined", "A card that is declined", "The bank says no"],
  ["tok_insufficient_funds", "An empty card", "There is not enough money on it"],
];

const COUNTRIES = ["US", "CA", "DE", "FR", "GB", "IT", "JP", "NL", "SE"];

/** Where to, and what with. */
export async function checkout() {
  const [content, addresses] = await Promise.all([
    cart.load(),
    signedIn() ? get("/v1/customers/me/addresses?limit=20").then((page) => page.data) : [],
  ]);
  if (!content.items.length) {
    return { title: "Check out", content: [nothing()] };
  }
  const purchase = new Purchase();
  const page = el("section.section", {},
    el("h1", {}, "Check out"),
    el("div.two-columns", {},
      form({ id: "checkout", autocomplete: "on" }, (values) => purchase.buy(values, addresses),
        !signedIn() && guest(),
        whereTo(addresses),
        whatWith(),
        el("button.button.wide", { id: "pay" }, `Pay ${money(total(content.subtotal, content.shipping))}`)),
      summary(content)));
  return { title: "Check out", content: [page] };
}

const nothing = () =>
  el("section.narrow.sorry", {}, el("h1", {}, "Your bag is empty"), el("a.button", { href: "/shop" }, "Find something"));

const guest = () =>
  el("fieldset.group", {}, el("legend", {}, "You"),
    el("p.small.quiet", {}, "You buy as a guest. ", el("a", { href: "/signin?next=/checkout" }, "Sign in"), " to find it in your history."),
    field("Email", { name: "email", type: "email", autocomplete: "email", maxlength: 254, hint: "For the confirmation." }));

function whereTo(addresses) {
  const fields = el("div.fields", { hidden: addresses.length > 0 }, addressFields());
  const use = (saved) => {
    fields.hidden = saved;
    for (const input of fields.querySelectorAll("input, select")) input.disabled = saved;
  };
  use(addresses.length > 0);
  const known = addresses.map((address, index) =>
    radio("address", address.id, addressLines(address)[0], addressLines(address).slice(1).join(", "), index === 0, () => use(true)));
  return el("fieldset.group", {}, el("legend", {}, "Where to"),
    addresses.length > 0 && [known, radio("address", "", "Somewhere else", "", false, () => use(false))],
    fields);
}

export const addressFields = (address = {}) => [
  field("Name", { name: "name", autocomplete: "name", maxlength: 200, value: address.name ?? "" }),
  field("Street and number", { name: "line1", autocomplete: "address-line1", maxlength: 200, value: address.line1 ?? "" }),
  field("Flat, floor", { name: "line2", autocomplete: "address-line2", maxlength: 200, optional: true, value: address.line2 ?? "" }),
  el("div.field-row", {},
    field("Postal code", { name: "postal_code", autocomplete: "postal-code", maxlength: 20, optional: true, value: address.postal_code ?? "" }),
    field("Town", { name: "city", autocomplete: "address-level2", maxlength: 100, value: address.city ?? "" })),
  el("div.field-row", {},
    field("State or region", { name: "region", autocomplete: "address-level1", maxlength: 100, optional: true, value: address.region ?? "" }),
    choice("Country", countries(), { name: "country", autocomplete: "country", value: address.country ?? "US" })),
];

function countries() {
  const names = new Intl.DisplayNames(navigator.languages?.[0] ?? "en", { type: "region" });
  return COUNTRIES.map((code) => [code, names.of(code)]);
}

/** An address as the API takes it. */
export const addressOf = ({ name, line1, line2, city, region, postal_code, country }) => ({
  name, line1, city, country, line2: line2 || null, region: region || null, postal_code: postal_code || null,
});

const whatWith = () =>
  el("fieldset.group", {}, el("legend", {}, "What with"),
    el("p.small.quiet", {}, "Test cards. No money moves, and there is nowhere to type a real card number."),
    CARDS.map(([token, name, does], index) => radio("token", token, name, does, index === 0)));

function radio(name, value, title, text, checked, onchange) {
  return el("label.option", {},
    el("input", { type: "radio", name, value, checked, onchange }),
    el("span", {}, el("span.option-title", {}, title), text && el("span.small.quiet", {}, text)));
}

const summary = ({ items, subtotal, shipping }) =>
  el("aside.summary", { "aria-label": "What you buy" },
    el("ul.small", {}, items.map((item) =>
      el("li.summary-line", {}, el("span", {}, `${item.quantity} × ${item.title ?? "no longer for sale"}`), el("span", {}, item.line_total ? money(item.line_total) : "—")))),
    sums(subtotal, shipping),
    el("a.text-link.small", { href: "/cart" }, "Change the bag"));

/** One purchase, however often it has to be sent. */
class Purchase {
  #key = null;
  #sent = "";

  async buy(values, addresses) {
    const saved = addresses.find(({ id }) => id === values.address);
    const body = {
      shipping_address: addressOf(saved ?? values),
      payment: { method: "card", token: values.token },
      ...(values.email ? { email: values.email } : {}),
    };
    // The same again, after an answer that was lost, must not buy twice; something else is something else.
    const sent = JSON.stringify([cart.content.id, cart.content.version, body]);
    if (sent !== this.#sent) [this.#key, this.#sent] = [newKey(), sent];
    let answer;
    try {
      answer = (await call("POST", "/v1/checkouts", { body, key: this.#key })).data;
    } catch (error) {
      // A refusal is an answer: the next try is another purchase.
      if (error.status && error.status < 500) this.#sent = "";
      if (error.code === "orders.out_of_stock") await cart.load();
      throw error;
    }
    rememberBought(answer.order.id, answer.guest_token);
    if (answer.next_action?.type === "redirect") {
      location.assign(answer.next_action.url);
      return;
    }
    await cart.load();
    await go(`/orders/${answer.order.id}`);
  }
}
