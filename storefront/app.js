import { cart } from "./cart.js";
import { categories } from "./catalogue.js";
import { el, fill } from "./dom.js";
import { again, start } from "./router.js";
import { session, signedIn } from "./session.js";
import { account } from "./views/account.js";
import { bag } from "./views/bag.js";
import { checkout } from "./views/checkout.js";
import { home } from "./views/home.js";
import { mailbox } from "./views/mailbox.js";
import { order } from "./views/order.js";
import { orders } from "./views/orders.js";
import { product } from "./views/product.js";
import { recover } from "./views/recover.js";
import { searchAsYouType, shop } from "./views/shop.js";
import { signIn } from "./views/sign-in.js";
import { signUp } from "./views/sign-up.js";
import { verify } from "./views/verify.js";

/** What the header says about the person and their bag. */
function showPerson() {
  const link = document.getElementById("account-link");
  link.textContent = signedIn() ? "Account" : "Sign in";
  link.href = signedIn() ? "/account" : "/signin";
}

function showBag() {
  document.getElementById("bag-count").textContent = cart.pieces;
  document.getElementById("bag-link").setAttribute("aria-label", `Bag, ${cart.pieces === 1 ? "1 piece" : `${cart.pieces} pieces`}`);
}

async function showCategories() {
  const tree = await categories();
  fill(document.getElementById("site-nav"), tree.map(({ path, name }) => el("li", {}, el("a", { href: `/shop?category=${path}` }, name))));
}

session.addEventListener("change", showPerson);
session.addEventListener("change", () => {
  // What only the person may see does not stay on the screen of whoever comes next.
  if (!signedIn() && /^\/(account$|orders)/.test(location.pathname)) again();
});
cart.addEventListener("change", showBag);
showPerson();
searchAsYouType(document.getElementById("site-search"));
showCategories().catch(() => {});
cart.load().catch(() => {});
start([
  ["/", home],
  ["/shop", shop],
  ["/products/:name", product],
  ["/cart", bag],
  ["/checkout", checkout],
  ["/orders", orders],
  ["/orders/:id", order],
  ["/signin", signIn],
  ["/signup", signUp],
  ["/account", account],
  ["/account/verify", verify],
  ["/account/recover", recover],
  ["/mailbox", mailbox],
]);
