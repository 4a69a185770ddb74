import { get, post } from "../api.js";
import { el } from "../dom.js";
import { field, form } from "../form.js";
import { go, nextAddress } from "../router.js";
import { signInWith } from "../session.js";

/** Signing in. In the demo also with a click, as somebody who has been a customer for long. */
export async function signIn({ query }) {
  const next = nextAddress(query);
  const known = await get("/demo/people").catch(() => null);
  const enter = async ({ email, password }) => {
    signInWith(await post("/v1/auth/signin", { email, password }));
    await go(next, { replace: true });
  };
  const page = el("section.narrow.section", {},
    el("h1", {}, "Sign in"),
    form({ id: "signin" }, enter,
      field("Email", { name: "email", type: "email", autocomplete: "username" }),
      field("Password", { name: "password", type: "password", autocomplete: "current-password" }),
      el("button.button.wide", {}, "Sign in")),
    el("p.small.split", {},
      el("a", { href: "/account/recover" }, "Forgot your password?"),
      el("a", { href: `/signup?next=${encodeURIComponent(next)}` }, "Open an account")),
    known && people(known, enter));
  return { title: "Sign in", content: [page] };
}

const people = ({ password, customers }, enter) =>
  el("section.notice", { "aria-labelledby": "people" },
    el("h2.small-head", { id: "people" }, "Only in the demo"),
    el("p.small", {}, "Be somebody who has bought here since 1997:"),
    form({}, ({ email }) => enter({ email, password }),
      el("p.pills", {}, customers.map(({ name, email }) => {
        const input = el("input", { type: "hidden", name: "email", value: email, disabled: true });
        // Only the one that is pressed is sent.
        return [input, el("button.button.quiet-button", { onclick: () => choose(input) }, name)];
      }))));

function choose(input) {
  for (const other of input.form.querySelectorAll("input[type=hidden]")) other.disabled = other !== input;
}
