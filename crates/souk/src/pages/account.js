// What is in the address after the hash never reaches a server, so the token is taken from there. It does not
// stay in the address: a link that signs somebody in has no place in a history.
const [, area, what] = location.pathname.split("/");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token && area === "account") history.replaceState(null, "", location.pathname);
// Another link for this page, opened in place of it, changes only what is after the hash.
addEventListener("hashchange", () => location.reload());
const at = (id) => document.getElementById(id);

const say = (title, text) => {
  at("title").textContent = document.title = title;
  at("text").textContent = text;
};

const fail = (error) => {
  at("failure").textContent = error?.message ?? "";
  at("failure").hidden = !error;
};

const call = async (path, { body, headers } = {}) => {
  const options = { headers: { accept: "application/json", ...headers } };
  if (body) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options).catch(() => null);
  const read = (await answer?.json().catch(() => null)) ?? {};
  if (answer?.ok) return read;
  const details = read.errors?.map(({ detail }) => detail).join("; ");
  throw new Error(details || read.detail || "The shop did not answer. Try again in a moment.");
};

const money = ({ amount, currency }) => {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
};

/** Shows `form` and does `work` when it is sent, once at a time. */
const onSubmit = (form, work) => {
  form.hidden = false;
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    fail(null);
    await work().catch(fail);
    button.removeAttribute("aria-busy");
  });
};

const done = (form, title, text) => {
  form.hidden = true;
  say(title, text);
  at("title").focus();
};

const verify = async () => {
  if (!token) return say("This link is not whole", "Open it again from the mail, or type the code where you signed up.");
  await call("/v1/auth/verify", { body: { token } });
  say("Welcome", "Your address is confirmed and your account is open. You can close this page and sign in.");
};

const recover = () => {
  if (!token) {
    say("A new password", "Say which account it is for, and we write to you with a link.");
    onSubmit(at("request"), async () => {
      await call("/v1/auth/recover", { body: { email: at("address").value } });
      done(at("request"), "Look into your mail", "If there is an account for this address, a mail with a link is on its way.");
    });
    return;
  }
  say("A new password", "It takes the place of the old one, and everybody who was signed in is signed out.");
  onSubmit(at("password"), async () => {
    await call("/v1/auth/recover/complete", { body: { token, password: at("new").value } });
    done(at("password"), "Done", "Sign in with your new password.");
  });
};

const row = (name, value) => {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  line.insertCell().textContent = value;
  return line;
};

const show = async (headers) => {
  const order = await call(`/v1/orders/${encodeURIComponent(what)}`, { headers });
  at("signin").hidden = true;
  const words = [order.status, order.payment_status, order.fulfilment_status].map((word) => word.replaceAll("_", " "));
  say(`Order ${order.number}`, words.join(", "));
  const table = at("order");
  const placed = order.placed_at && new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(new Date(order.placed_at));
  table.caption.textContent = placed ? `Placed ${placed}` : "Waiting for the payment";
  table.tBodies[0].replaceChildren(...order.lines.map((line) => row(`${line.quantity} × ${line.title}`, money(line.total))));
  const { discount, shipping, total } = order.totals;
  const sums = [["Discount", discount], ["Delivery", shipping], ["Total", total]].filter(([name, { amount }]) => amount || name === "Total");
  table.tFoot.replaceChildren(...sums.map(([name, sum]) => row(name, money(sum))));
  table.hidden = false;
};

const order = async () => {
  if (token) return show({ "souk-order-token": token });
  say("Your order", "Sign in to see it.");
  onSubmit(at("signin"), async () => {
    const body = { email: at("email").value, password: at("current").value };
    const { access_token: access } = await call("/v1/auth/signin", { body });
    await show({ authorization: `Bearer ${access}` });
    at("title").focus();
  });
};

try {
  if (area === "orders") await order();
  else if (what === "verify") await verify();
  else recover();
} catch (error) {
  say("That did not work", error.message);
}
