import { post } from "../api.js";
import { el, fill } from "../dom.js";
import { field, form } from "../form.js";
import { forget } from "../session.js";

/** A new password: asking for the mail, and choosing one with the token of its link. */
export async function recover({ hash }) {
  const token = new URLSearchParams(hash.slice(1)).get("token");
  if (token) history.replaceState(history.state, "", location.pathname);
  const page = el("section.narrow.section", {});
  return { title: "A new password", content: [token ? choose(page, token) : ask(page)] };
}

const ask = (page) =>
  fill(page,
    el("h1", {}, "A new password"),
    el("p.lead", {}, "We write to you with a link."),
    form({ id: "recover" }, async ({ email }) => {
      await post("/v1/auth/recover", { email });
      const text = `If there is an account for ${email}, a mail with a link is on its way.`;
      done(page, "Look into your mail", text, el("a.button", { href: "/mailbox" }, "Open the demo’s mailbox"));
    },
      field("Email", { name: "email", type: "email", autocomplete: "username" }),
      el("button.button.wide", {}, "Send the link")));

const choose = (page, token) =>
  fill(page,
    el("h1", {}, "Choose a new password"),
    el("p.lead", {}, "It takes the place of the old one, and everybody who was signed in is signed out."),
    form({ id: "new-password" }, async ({ password }) => {
      await post("/v1/auth/recover/complete", { token, password });
      forget();
      done(page, "Done", "Your password is changed.", el("a.button", { href: "/signin" }, "Sign in"));
    },
      field("New password", { name: "password", type: "password", autocomplete: "new-password", minlength: 10, maxlength: 256, hint: "Ten characters or more." }),
      el("button.button.wide", {}, "Save it")));

function done(page, title, text, action) {
  const heading = el("h1", { tabindex: -1 }, title);
  fill(page, heading, el("p.lead", {}, text), action);
  heading.focus();
}
