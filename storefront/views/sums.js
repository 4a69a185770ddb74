import { el } from "../dom.js";
import { money } from "../format.js";

/** Two amounts of one currency together. */
export const total = (one, other) => ({ amount: one.amount + other.amount, currency: one.currency });

/** What a bag comes to. */
export const sums = (subtotal, shipping) =>
  el("dl.totals", {},
    row("Subtotal", money(subtotal), "subtotal"),
    row("Delivery", shipping.amount ? money(shipping) : "Free", "shipping"),
    el("div.total", {}, el("dt", {}, "Total"), el("dd", { id: "total" }, money(total(subtotal, shipping)))));

const row = (name, value, id) => el("div", {}, el("dt", {}, name), el("dd", { id }, value));
