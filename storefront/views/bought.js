/** What this browser bought a moment ago, and the tokens with which guests read their orders. */

const JUST = "maren-vale.bought";
const TOKENS = "maren-vale.guest-orders";

const tokens = () => JSON.parse(localStorage.getItem(TOKENS) ?? "{}");

/** To be called before the person is sent anywhere. */
export function rememberBought(order, guestToken) {
  sessionStorage.setItem(JUST, order);
  if (guestToken) rememberToken(order, guestToken);
}

/** Whether `order` was bought just now. It is said once. */
export function wasJustBought(order) {
  const just = sessionStorage.getItem(JUST) === order;
  if (just) sessionStorage.removeItem(JUST);
  return just;
}

export function rememberToken(order, token) {
  localStorage.setItem(TOKENS, JSON.stringify({ ...tokens(), [order]: token }));
}

/** Whether this browser holds the right to read `order` without anybody being signed in. */
export const hasToken = (order) => order in tokens();

/** The header field with which this browser may read `order` although nobody is signed in. */
export function guestHeaders(order) {
  const token = tokens()[order];
  return token ? { "souk-order-token": token } : {};
}
