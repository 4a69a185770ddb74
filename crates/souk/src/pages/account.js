// What is in the address after the hash never reaches a server, so the token is taken from there.
const [, area, what] = location.pathname.split("/");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const at = (id) => document.getElementById(id);

const say = (title, text) => {
  at("title").textContent = title;
  at("text").textContent = text;
};

const call = async (path, { body, headers } = {}) => {
  const options = { headers: { accept: "application/json", ...headers } };
  if (body) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const read = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(read.detail ?? "The shop did not answer. Try again in a moment.");
  return read;
};

const money = ({ amount, currency }) => {
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
};

const onSubmit = (form, work) => {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await work();
    } catch (error) {
      at("text").textContent = error.message;
    }
  });
};

const verify = async () => {
  await call("/v1/auth/verify", { body: { token } });
  say("Welcome", "Your address is confirmed and your account is open. You can close this page and sign in.");
};

const recover = () => {
  say("A new password", "It takes the place of the old one, and everybody who was signed in is signed out.");
  onSubmit(at("password"), async () => {
    await call("/v1/auth/recover/complete", { body: { token, password: at("new").value } });
    at("password").hidden = true;
    say("Done", "Sign in with your new password.");
  });
};

const row = (...cells) => {
  const line = document.createElement("tr");
  for (const text of cells) line.insertCell().textContent = text;
  return line;
};

const show = async (headers) => {
  const order = await call(`/v1/orders/${encodeURIComponent(what)}`, { headers });
  at("signin").hidden = true;
  const words = [order.status, order.payment_status, order.fulfilment_status].map((word) => word.replaceAll("_", " "));
  say(`Order ${order.number}`, words.join(", "));
  const table = at("order");
  table.caption.textContent = new Date(order.placed_at ?? Date.now()).toLocaleDateString();
  table.tBodies[0].replaceChildren(...order.lines.map((line) => row(`${line.quantity} × ${line.title}`, money(line.total))));
  table.tFoot.replaceChildren(row("Total", money(order.totals.total)));
  table.hidden = false;
};

const order = async () => {
  if (token) return show({ "souk-order-token": token });
  say("Your order", "Sign in to see it.");
  onSubmit(at("signin"), async () => {
    const body = { email: at("email").value, password: at("current").value };
    const { access_token: access } = await call("/v1/auth/signin", { body });
    await show({ authorization: `Bearer ${access}` });
  });
};

try {
  if (area === "orders") await order();
  else if (!token) say("This link is not whole", "Open it again from the mail, or type the code instead.");
  else if (what === "verify") await verify();
  else recover();
} catch (error) {
  say("That did not work", error.message);
}
