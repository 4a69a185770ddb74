import { post } from "../api.js";
import { el } from "../dom.js";
import { field, form } from "../form.js";
import { go, nextAddress } from "../router.js";

/** Where the address, and where to go afterwards, wait for the code. */
export const WAITING = "maren-vale.signup";

/** Opening an account. */
export async function signUp({ query }) {
  const next = nextAddress(query);
  const open = async ({ name, email, password }) => {
    await post("/v1/auth/signup", { email, password, ...(name ? { name } : {}) });
    localStorage.setItem(WAITING, JSON.stringify({ email, next }));
    await go("/account/verify");
  };
  const page = el("section.narrow.section", {},
    el("h1", {}, "Open an account"),
    el("p.lead", {}, "To see your orders, and to buy again without typing."),
    form({ id: "signup" }, open,
      field("Name", { name: "name", autocomplete: "name", maxlength: 200, optional: true }),
      field("Email", { name: "email", type: "email", autocomplete: "username", maxlength: 254 }),
      field("Password", {
        name: "password", type: "password", autocomplete: "new-password", minlength: 10, maxlength: 256,
        hint: "Ten characters or more. A few words are easy to remember.",
      }),
      el("button.button.wide", {}, "Open the account")),
    el("p.small", {}, "You have one? ", el("a", { href: `/signin?next=${encodeURIComponent(next)}` }, "Sign in")));
  return { title: "Open an account", content: [page] };
}
