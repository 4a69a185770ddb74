import { call, get, newKey } from "../api.js";
import { cart } from "../cart.js";
import { knownProduct, picture } from "../catalogue.js";
import { ask } from "../dialog.js";
import { announce, el, fill, icon } from "../dom.js";
import { addressLines, ago, count, day, moment, money, statusWord } from "../format.js";
import { busy } from "../form.js";
import { signInFirst } from "../router.js";
import { signedIn } from "../session.js";
import { listen } from "../stream.js";
import { explain } from "../words.js";
import { guestHeaders, hasToken, rememberToken, wasJustBought } from "./bought.js";
import { log } from "./order-log.js";
import { poll } from "./poll.js";

/** How often a guest's order is looked at. */
const LOOK_AGAIN = 3_000;

/** One order, as it is and as it changes. */
export async function order({ params, hash, signal }) {
  keepToken(params.id, hash);
  if (!signedIn() && !hasToken(params.id)) {
    signInFirst();
    return null;
  }
  const page = new OrderPage(params.id, signal);
  await page.load();
  page.follow();
  return { title: `Order ${page.number}`, content: [page.element] };
}

/** The link in a guest's mail holds the right to read the order. It need not stay in the address. */
function keepToken(id, hash) {
  const token = new URLSearchParams(hash.slice(1)).get("token");
  if (!token) return;
  rememberToken(id, token);
  history.replaceState(history.state, "", location.pathname);
}

class OrderPage {
  #id;
  #signal;
  #order = null;
  #etag = null;
  #events = [];
  #thanks;
  #head = el("header.order-head", {});
  #state = el("div", { id: "order-state", "aria-live": "polite" });
  #body = el("div.two-columns", {});
  #log = el("div", {});
  #live = el("p.live.small", { id: "live", hidden: true });
  #poll = el("div", {});
  #asked = false;

  constructor(id, signal) {
    this.#id = id;
    this.#signal = signal;
    this.#thanks = wasJustBought(id);
    this.element = el("article.section.order", {});
  }

  get number() {
    return this.#order.number;
  }

  async load() {
    const headers = guestHeaders(this.#id);
    const path = `/v1/orders/${this.#id}`;
    const [{ data, etag }, events] = await Promise.all([
      call("GET", path, { headers, signal: this.#signal }),
      get(`${path}/events`, { headers, signal: this.#signal }),
    ]);
    const before = this.#order?.version;
    [this.#order, this.#etag, this.#events] = [data, etag, events.data];
    if (before !== data.version) await this.#draw();
    this.#askForOpinion();
  }

  /** Follows the order until the person leaves. */
  follow() {
    // Streams tell customers of their own orders; a guest looks again.
    if (!signedIn() || !this.#order.customer_id) return this.#lookAgain();
    const changed = (kind, data) => {
      // A stream that begins tells nothing of what happened since the order was read.
      const begins = kind === "ready" || kind === "reset";
      if (begins || data.order_id === this.#id) this.load().catch((error) => console.warn(error));
    };
    listen("orders", {
      signal: this.#signal,
      onEvent: changed,
      onLive: (live) => {
        this.#live.hidden = false;
        this.#live.dataset.live = live;
        fill(this.#live, live ? "Live: changes show here at once" : "Reconnecting");
      },
    });
  }

  #lookAgain() {
    const timer = setInterval(() => {
      if (!document.hidden && this.#order.status !== "completed" && this.#order.status !== "cancelled") this.load().catch(() => {});
    }, LOOK_AGAIN);
    this.#signal.addEventListener("abort", () => clearInterval(timer));
  }

  async #draw() {
    const order = this.#order;
    const products = await Promise.all(order.lines.map((line) => line.product_id && knownProduct(line.product_id)));
    const words = `${statusWord(order.status)}, ${statusWord(order.payment_status).toLowerCase()}, ${statusWord(order.fulfilment_status).toLowerCase()}`;
    const said = this.element.childElementCount > 0;
    if (!said) fill(this.element, this.#head, this.#state, this.#body, this.#poll, this.#log);
    this.#drawHead();
    fill(this.#state, steps(order), order.status === "cancelled" && cancelled(order));
    fill(this.#body, lines(order, products), this.#side());
    fill(this.#log, log(this.#events));
    if (said) announce(`Order ${order.number}: ${words}.`);
  }

  #drawHead() {
    const order = this.#order;
    const thanked = this.#thanks && order.placed_at;
    // The bag of what was bought just now is empty once that is certain.
    if (thanked && cart.pieces) cart.load().catch(() => {});
    fill(this.#head,
      thanked && el("p.eyebrow", {}, icon("check"), " Thank you"),
      el("h1", {}, thanked ? "It is yours" : `Order ${order.number}`),
      el("p.quiet", {}, thanked ? `Order ${order.number}, placed ${day(order.placed_at)}` : order.placed_at ? `Placed ${day(order.placed_at)}` : statusWord(order.status)),
      this.#live);
  }

  #side() {
    const { totals, refunded, shipping_address: address, shipments, status, fulfilment_status: sent } = this.#order;
    const sum = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value.amount ? money(value) : "Free"));
    const mayCancel = status === "placed" && sent === "unfulfilled";
    return el("aside.summary", { "aria-label": "Sums and address" },
      el("dl.totals", {},
        sum("Subtotal", totals.subtotal),
        totals.discount.amount > 0 && sum("Discount", totals.discount),
        sum("Delivery", totals.shipping),
        el("div.total", {}, el("dt", {}, "Total"), el("dd", { id: "order-total" }, money(totals.total))),
        refunded.amount > 0 && sum("Given back", refunded)),
      address && el("div", {}, el("h2.small-head", {}, "Goes to"), el("address", {}, addressLines(address).map((text) => el("span", {}, text)))),
      shipments.map(parcel),
      mayCancel && this.#cancelButton());
  }

  #cancelButton() {
    const failure = el("p.failure", { role: "alert", hidden: true });
    const cancel = async () => {
      const sure = await ask({ title: "Cancel this order?", text: "Nothing is sent, and your money comes back.", yes: "Yes, cancel it" });
      if (!sure) return;
      try {
        const options = { body: {}, match: this.#etag, key: newKey(), headers: guestHeaders(this.#id) };
        await call("POST", `/v1/orders/${this.#id}/cancel`, options);
      } catch (error) {
        fill(failure, explain(error));
        failure.hidden = false;
      }
      await this.load();
    };
    const button = el("button.text-link.small", { type: "button", id: "cancel-order", onclick: () => busy(button, cancel) }, "Cancel this order");
    return [button, failure];
  }

  /** Customers are asked once how it was, as soon as the shop would like to know. */
  async #askForOpinion() {
    if (this.#asked || !signedIn() || !["placed", "completed"].includes(this.#order.status)) return;
    const polls = await get(`/v1/polls?placement=post_purchase&order_id=${this.#id}`).catch(() => ({ data: [] }));
    const [first] = polls.data;
    if (!first || this.#asked || this.#signal.aborted) return;
    this.#asked = true;
    fill(this.#poll, poll(first, this.#id));
  }
}

/** How far it has come. */
function steps({ status, payment_status: payment, fulfilment_status: sent }) {
  if (status === "cancelled") return null;
  const paid = ["captured", "partially_refunded", "refunded"].includes(payment);
  const stages = [
    ["Placed", status !== "pending"],
    [statusWord(payment), paid],
    [statusWord(sent), sent === "fulfilled"],
    ["Completed", status === "completed"],
  ];
  return el("ol.steps", { "aria-label": "How far it has come" }, stages.map(([name, done]) =>
    el("li", { class: done ? "done" : "" }, el("span.step-mark", {}, done && icon("check")), name, el("span.sr-only", {}, done ? " (done)" : " (not yet)"))));
}

const REASONS = {
  payment_failed: "The payment was not confirmed, so nothing was bought and nothing was charged. What you wanted is still in your bag.",
  stock_lost: "It sold out while you paid. Your money comes back.",
  requested_by_customer: "You cancelled it. Your money comes back.",
  requested_by_staff: "The shop had to cancel it. Your money comes back.",
};

const cancelled = ({ cancellation }) =>
  el("div.notice", {},
    el("p", {}, el("strong", {}, "Cancelled. "), REASONS[cancellation?.reason] ?? "Nothing is sent."),
    cancellation?.reason === "payment_failed" && el("p.actions", {}, el("a.button", { href: "/checkout" }, "Try again"), el("a.text-link", { href: "/cart" }, "Your bag")));

const parcel = ({ shipped_at: at, tracking, lines: content }) =>
  el("div", {},
    el("h2.small-head", {}, "Sent"),
    el("p.small", {}, el("time", { datetime: at, title: moment(at) }, ago(at)), `, ${pieces(content)}`),
    tracking && el("p.small", {}, tracking.carrier, " ", trackingNumber(tracking)));

const pieces = (content) => count(content.reduce((sum, line) => sum + line.quantity, 0), "piece", "pieces");

/** Other schemes than `https` are no addresses to follow. */
const trackingNumber = ({ url, number }) => (url?.startsWith("https://") ? el("a", { href: url, rel: "noreferrer" }, number) : number);

const lines = (order, products) =>
  el("ul.lines", {}, order.lines.map((line, index) =>
    el("li.line", {},
      picture(products[index], { small: true }),
      el("div.line-words", {},
        el("p.line-title", {}, products[index] ? el("a", { href: `/products/${products[index].handle}` }, line.title) : line.title),
        el("p.small.quiet", {},
          `${line.quantity} × ${money(line.unit_price)}`,
          line.fulfilled > 0 && line.fulfilled < line.quantity && `, ${line.fulfilled} sent`)),
      el("p.line-total", {}, money(line.total)))));
