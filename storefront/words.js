import { Problem } from "./api.js";

/** What went wrong, for people, where the shop's own words are for programmers. */
const SENTENCES = {
  "identity.bad_credentials": "That address and password do not belong together.",
  "identity.code_invalid": "This code or link no longer works. Ask for a new mail and use the newest one.",
  "identity.overloaded": "Many people are signing in just now. Try again in a moment.",
  "orders.cart_empty": "Your bag is empty.",
  "orders.cart_full": "Your bag is full: it takes 100 different things.",
  "orders.checkout_in_progress": "This bag is being paid for already, perhaps in another window.",
  "orders.checkout_failed": "The order could not be placed. Nothing was charged. Try again in a moment.",
  "orders.payment_refused": "This card cannot be used here. Choose another one.",
  "orders.not_cancellable": "This order can no longer be cancelled.",
  "orders.not_found": "There is no such order, or it belongs to somebody else.",
  "orders.unknown_variant": "This is no longer for sale.",
  "catalog.product_not_found": "This product is not, or no longer, in the shop.",
  "precondition.failed": "It was changed in another window. This is how it is now.",
  "request.card_number": "Please do not type card numbers here. Choose one of the test cards.",
  "feedback.already_answered": "You have answered already. Thank you!",
};

const DECLINES = {
  insufficient_funds: "There is not enough money on this card. Nothing was charged; choose another card.",
  challenge_failed: "The payment was not confirmed. Nothing was charged; you can try again.",
};

/** A sentence for whoever has to go on from `error`. */
export function explain(error) {
  if (!(error instanceof Problem)) return error.message;
  if (error.code === "payments.declined") {
    return DECLINES[error.body.reason] ?? "The bank declined this card. Nothing was charged; choose another card.";
  }
  if (error.code === "orders.out_of_stock") return "Some of it has just sold out. Your bag shows what is left.";
  if (error.status === 429) {
    return `That was a little too often. Try again in ${error.retryAfter ?? "a few"} seconds.`;
  }
  if (error.status >= 500) return "The shop has a problem of its own. Nothing was lost; try again in a moment.";
  return SENTENCES[error.code] ?? error.message;
}
