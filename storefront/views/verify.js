import { post } from "../api.js";
import { el, toast } from "../dom.js";
import { busy, field, form } from "../form.js";
import { go } from "../router.js";
import { signInWith } from "../session.js";
import { explain } from "../words.js";
import { WAITING } from "./sign-up.js";

/** Proving an address, with the code of the mail or by its link. */
export async function verify({ hash }) {
  const { email = "", next = "/" } = JSON.parse(localStorage.getItem(WAITING) ?? "{}");
  const enter = async (proof) => {
    signInWith(await post("/v1/auth/verify", proof));
    localStorage.removeItem(WAITING);
    await go(next, { replace: true });
    toast("Your address is confirmed, and you are signed in.");
  };
  const token = new URLSearchParams(hash.slice(1)).get("token");
  let failed = null;
  if (token) {
    // A link works once, so it does not stay in the address.
    history.replaceState(history.state, "", location.pathname);
    try {
      await enter({ token });
      return null;
    } catch (error) {
      failed = explain(error);
    }
  }
  return { title: "Confirm your address", content: [page(email, enter, failed)] };
}

function page(email, enter, failed) {
  const resend = el("button.text-link.small", { type: "button", onclick: () => busy(resend, again) }, "Send the mail again");
  const again = async () => {
    const address = document.querySelector("#verify [name=email]").value;
    await post("/v1/auth/verify/resend", { email: address }).then(() => toast("A new mail is on its way."), (error) => toast(explain(error)));
  };
  return el("section.narrow.section", {},
    el("h1", {}, "Look into your mail"),
    failed && el("p.failure", { role: "alert" }, failed),
    el("p.lead", {}, email ? `We have written to ${email}. ` : "", "Open the link in the mail, or type its code here."),
    el("p", {}, el("a.button.quiet-button", { href: "/mailbox" }, "Open the demo’s mailbox")),
    form({ id: "verify" }, enter,
      field("Email", { name: "email", type: "email", autocomplete: "username", value: email }),
      field("Code", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 8, pattern: "[0-9]{6,8}", hint: "The digits from the mail." }),
      el("button.button.wide", {}, "Confirm")),
    resend);
}
