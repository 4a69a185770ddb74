import { call, get, newKey, post } from "../api.js";
import { ask } from "../dialog.js";
import { el, fill, toast } from "../dom.js";
import { addressLines, ago, day } from "../format.js";
import { busy, field, form } from "../form.js";
import { again, go, signInFirst } from "../router.js";
import { forget, signedIn } from "../session.js";
import { explain } from "../words.js";
import { addressFields, addressOf } from "./checkout.js";

/** Name, addresses, and where one is signed in. */
export async function account({ signal }) {
  if (!signedIn()) {
    signInFirst();
    return null;
  }
  const [me, addresses, sessions] = await Promise.all([
    call("GET", "/v1/customers/me", { signal }),
    get("/v1/customers/me/addresses?limit=50", { signal }),
    get("/v1/auth/sessions", { signal }),
  ]);
  const page = el("div.section", {},
    el("header.section-head", {},
      el("h1", {}, me.data.name ? `Hello, ${me.data.name}` : "Your account"),
      el("button.button.quiet-button", { type: "button", id: "sign-out", onclick: leave }, "Sign out")),
    el("p.quiet", {}, `${me.data.email ?? ""}, a customer since ${day(me.data.created_at)}. `, el("a", { href: "/orders" }, "Your orders")),
    el("div.panels", {}, profile(me), book(addresses.data), devices(sessions.data)));
  return { title: "Your account", content: [page] };
}

async function leave() {
  await post("/v1/auth/signout", {}).catch(() => {});
  // So that forgetting does not lead to where one signs in to see this page.
  history.replaceState(history.state, "", "/");
  forget();
  await go("/", { replace: true });
  toast("You are signed out.");
}

const profile = ({ data, etag }) =>
  el("section.panel", { "aria-labelledby": "profile" },
    el("h2", { id: "profile" }, "You"),
    form({}, async ({ name, phone }) => {
      await call("PATCH", "/v1/customers/me", { body: { name: name || null, phone: phone || null }, match: etag });
      await again();
      toast("Saved.");
    },
      field("Name", { name: "name", autocomplete: "name", maxlength: 200, optional: true, value: data.name ?? "" }),
      field("Phone", { name: "phone", type: "tel", autocomplete: "tel", maxlength: 30, optional: true, value: data.phone ?? "" }),
      el("button.button.quiet-button", {}, "Save")));

function book(addresses) {
  const element = el("section.panel", { "aria-labelledby": "addresses" });
  const add = el("details.details", {}, el("summary", {}, "Add an address"),
    form({ id: "new-address" }, async (values) => {
      await call("POST", "/v1/customers/me/addresses", { body: addressOf(values), key: newKey() });
      await again();
      toast("The address is saved.");
    }, addressFields(), el("button.button.quiet-button", {}, "Save the address")));
  return fill(element,
    el("h2", { id: "addresses" }, "Addresses"),
    addresses.length === 0 && el("p.quiet", {}, "None yet."),
    el("ul.plain", {}, addresses.map(savedAddress)),
    add);
}

function savedAddress(address) {
  const lines = addressLines(address);
  const failure = el("p.failure", { role: "alert", hidden: true });
  const remove = async () => {
    if (!(await ask({ title: "Delete this address?", text: lines.join(", "), yes: "Yes, delete it" }))) return;
    try {
      await call("DELETE", `/v1/customers/me/addresses/${address.id}`, { match: `"${address.version}"` });
      await again();
      toast("The address is deleted.");
    } catch (error) {
      fill(failure, explain(error));
      failure.hidden = false;
    }
  };
  const button = el("button.text-link.small", { type: "button", "aria-label": `Delete ${lines[0]}, ${lines[1]}`, onclick: () => busy(button, remove) }, "Delete");
  return el("li.split", {}, el("address", {}, lines.map((text) => el("span", {}, text))), button, failure);
}

const devices = (sessions) =>
  el("section.panel", { "aria-labelledby": "devices" },
    el("h2", { id: "devices" }, "Where you are signed in"),
    el("ul.plain", {}, sessions.map(({ id, device, last_used_at: used, current }) => {
      const end = async () => {
        await call("DELETE", `/v1/auth/sessions/${id}`).then(() => again(), (error) => toast(explain(error)));
      };
      const button = el("button.text-link.small", { type: "button", "aria-label": `Sign out ${device}`, onclick: () => busy(button, end) }, "Sign out");
      return el("li.split", {},
        el("span", {}, device, el("span.small.quiet", {}, current ? ", this one" : `, ${ago(used)}`)),
        !current && button);
    })));
