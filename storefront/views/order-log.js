import { el } from "../dom.js";
import { moment, money } from "../format.js";

/** What happened, as a sentence, by its type. */
const SENTENCES = {
  order_placed: () => "The order was placed; the stock is yours and the money is set aside.",
  order_imported: () => "The order was taken over from an older system.",
  payment_captured: () => "The payment was taken.",
  payment_voided: () => "The money was let go; nothing was taken.",
  payment_failed: () => "The payment could not be taken.",
  refund_succeeded: ({ amount }) => (amount ? `${money(amount)} was given back.` : "Money was given back."),
  refund_failed: () => "A refund did not arrive and is looked into.",
  order_shipped: ({ tracking }) => (tracking ? `Sent with ${tracking.carrier}, ${tracking.number}.` : "Sent."),
  order_completed: () => "All is paid for and sent.",
  order_cancelled: () => "The order was cancelled.",
};

const ACTORS = { customer: "you", guest: "you", staff: "the shop", payments: "the bank", system: "the shop", import: "the import" };

/** The log of an order. Each entry's hash covers all before it. */
export function log(events) {
  if (!events.length) return null;
  return el("section.log", { "aria-labelledby": "log" },
    el("h2", { id: "log" }, "What happened"),
    el("ol", { id: "order-events" }, events.map((event) =>
      el("li", {},
        el("time.small.quiet", { datetime: event.at }, moment(event.at)),
        el("span", {}, SENTENCES[event.type]?.(event.data) ?? event.type.replaceAll("_", " ")),
        el("span.small.quiet", {}, `by ${ACTORS[event.actor.split(":")[0]] ?? event.actor}`),
        el("code.hash", { title: `SHA-256 ${event.hash}` }, event.hash.slice(0, 8))))));
}
