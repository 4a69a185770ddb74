import { get, withQuery } from "../api.js";
import { announce, el, fill } from "../dom.js";
import { busy, choice } from "../form.js";
import { count, day, money, statusWord } from "../format.js";
import { go, signInFirst } from "../router.js";
import { signedIn } from "../session.js";
import { explain } from "../words.js";

const AT_ONCE = 20;
const SHOWN_LINES = 3;
const STATUSES = ["placed", "completed", "cancelled"];
const FULFILMENTS = ["unfulfilled", "partially_fulfilled", "fulfilled"];

/** The purchase history. */
export async function orders({ query, signal }) {
  if (!signedIn()) {
    signInFirst();
    return null;
  }
  const names = ["query", "status", "fulfilment_status", "placed_from", "placed_to"];
  const wanted = Object.fromEntries(names.map((name) => [name, query.get(name)]));
  const address = withQuery("/v1/orders", { ...wanted, limit: AT_ONCE });
  const page = await get(address, { signal });
  const narrowed = Object.values(wanted).some(Boolean);
  return {
    title: "Your orders",
    content: [
      el("section.section", {},
        el("h1", {}, "Your orders"),
        filters(wanted, narrowed),
        page.data.length ? list(page, address) : nothing(narrowed)),
    ],
  };
}

function filters(wanted, narrowed) {
  const change = ({ target: { name, value } }) => go(withQuery("/orders", { ...wanted, [name]: value }), { stay: true, replace: true });
  const any = (values) => [["", "Any"], ...values.map((value) => [value, statusWord(value)])];
  const date = (label, name) =>
    el("p.field", {}, el("label", { for: `filter-${name}` }, label), el("input", { id: `filter-${name}`, name, type: "date", value: wanted[name] ?? "" }));
  return el("form.filters", { "aria-label": "Narrow the list", onchange: change, onsubmit: (event) => event.preventDefault() },
    el("p.field", {},
      el("label", { for: "filter-query" }, "Number or product"),
      el("input", { id: "filter-query", name: "query", type: "search", maxlength: 200, value: wanted.query ?? "" })),
    choice("Order", any(STATUSES), { id: "filter-status", name: "status", value: wanted.status ?? "" }),
    choice("Delivery", any(FULFILMENTS), { id: "filter-fulfilment", name: "fulfilment_status", value: wanted.fulfilment_status ?? "" }),
    date("From", "placed_from"),
    date("Until", "placed_to"),
    narrowed && el("a.text-link", { href: "/orders" }, "Clear"));
}

function list(first, address) {
  let next = first.next_cursor;
  const rows = el("ol.orders", { id: "orders" }, first.data.map(row));
  const failure = el("p.failure", { role: "alert", hidden: true });
  const button = el("button.button.quiet-button", { type: "button", onclick: () => busy(button, more) }, "Show older orders");
  const below = el("div.more", { hidden: !next }, button, failure);
  return [rows, below];

  async function more() {
    failure.hidden = true;
    try {
      const page = await get(`${address}&cursor=${encodeURIComponent(next)}`);
      next = page.next_cursor;
      const added = page.data.map(row);
      rows.append(...added);
      added[0]?.querySelector("a").focus();
      below.hidden = !next;
      announce(count(page.data.length, "older order", "older orders"));
    } catch (error) {
      fill(failure, explain(error));
      failure.hidden = false;
    }
  }
}

function row({ id, number, placed_at: at, status, payment_status: payment, fulfilment_status: sent, totals, lines }) {
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0);
  const titles = [...new Set(lines.map((line) => line.title.split(",")[0]))];
  const rest = titles.length - SHOWN_LINES;
  const words = (status === "cancelled" ? [status] : [payment, sent]).map((word) => statusWord(word).toLowerCase()).join(", ");
  return el("li.order-row", {},
    el("a", { href: `/orders/${id}` }, number),
    el("time.quiet", { datetime: at }, day(at)),
    el("p.order-row-lines", {}, titles.slice(0, SHOWN_LINES).join(", "), rest > 0 && ` and ${count(rest, "more", "more")}`),
    el("p.small.quiet", {}, `${count(pieces, "piece", "pieces")}, ${words}`),
    el("p.order-row-total", {}, money(totals.total)));
}

const nothing = (narrowed) =>
  el("div.empty", {},
    el("p.lead", {}, narrowed ? "No order fits." : "You have not ordered anything yet."),
    el("a.button", { href: narrowed ? "/orders" : "/shop" }, narrowed ? "Show all orders" : "Find something"));
