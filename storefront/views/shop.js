import { get, withQuery } from "../api.js";
import { brands, card, categories } from "../catalogue.js";
import { announce, el, fill } from "../dom.js";
import { choice, busy } from "../form.js";
import { count } from "../format.js";
import { go } from "../router.js";
import { explain } from "../words.js";

const AT_ONCE = 24;
const ORDERS = [["", "Newest first"], ["price", "Lowest price first"], ["title", "By name"]];
const ORDERS_OF_A_SEARCH = [["", "Best match first"], ["newest", "Newest first"], ["price", "Lowest price first"], ["title", "By name"]];

/** What was listed last, so that going back from a product shows all of it again. */
let last = { address: "", products: [], next: null };

/** The catalogue: searched, filtered, page by page. The address says which part of it. */
export async function shop({ query, signal }) {
  const wanted = Object.fromEntries(["query", "category", "brand", "sort", "in_stock"].map((name) => [name, query.get(name)]));
  const address = withQuery("/v1/products", { ...wanted, limit: AT_ONCE });
  const [tree, makers] = await Promise.all([categories(), brands(), address === last.address || load(address, signal)]);
  const title = headline(wanted, tree, makers);
  const heading = el("h1", {}, title);
  const shelf = el("section.section.shop", { "aria-labelledby": "shop-title" },
    el("div.section-head", {}, heading),
    el("p.quiet.result", { id: "result" }, result()),
    filters(wanted, tree, makers),
    last.products.length ? list() : nothing(wanted));
  heading.id = "shop-title";
  return { title, content: [shelf] };
}

async function load(address, signal) {
  const page = await get(address, { signal });
  last = { address, products: page.data, next: page.next_cursor };
}

function headline({ query, category, brand }, tree, makers) {
  const all = tree.flatMap((one) => [one, ...one.children]);
  const shelf = all.find(({ path }) => path === category)?.name;
  const maker = makers.find(({ key }) => key === brand)?.name;
  if (query) return `“${query}”`;
  return [maker, shelf].filter(Boolean).join(", ") || "Everything";
}

const result = () => `${count(last.products.length, "product", "products")}${last.next ? " so far, and more below" : ""}`;

function filters(wanted, tree, makers) {
  const shelves = tree.flatMap(({ path, name, children }) => [
    [path, name],
    ...children.map((child) => [child.path, `${name}: ${child.name}`]),
  ]);
  const change = (event) => {
    const { name, value, type, checked } = event.target;
    go(withQuery("/shop", { ...wanted, [name]: type === "checkbox" ? checked : value }), { stay: true });
  };
  const narrowed = Object.values(wanted).some(Boolean);
  return el("form.filters", { "aria-label": "Narrow the list", onchange: change, onsubmit: (event) => event.preventDefault() },
    choice("Shelf", [["", "All"], ...shelves], { id: "filter-category", name: "category", value: wanted.category ?? "" }),
    choice("House", [["", "All"], ...makers.map(({ key, name }) => [key, name])], { id: "filter-brand", name: "brand", value: wanted.brand ?? "" }),
    choice("Order", wanted.query ? ORDERS_OF_A_SEARCH : ORDERS, { id: "filter-sort", name: "sort", value: wanted.sort ?? "" }),
    el("p.check", {},
      el("input", { id: "filter-stock", name: "in_stock", type: "checkbox", checked: wanted.in_stock === "true" }),
      el("label", { for: "filter-stock" }, "In stock only")),
    narrowed && el("a.text-link", { href: "/shop" }, "Clear"));
}

function list() {
  const grid = el("ul.grid", { id: "products" }, last.products.map((product, index) => card(product, { eager: index < 4 })));
  const failure = el("p.failure", { role: "alert", hidden: true });
  const button = el("button.button.quiet-button", { type: "button", onclick: () => busy(button, more) }, "Show more");
  const below = el("div.more", { hidden: !last.next }, button, failure);
  return [grid, below];

  async function more() {
    failure.hidden = true;
    try {
      const page = await get(withQuery(last.address, {}).concat(`&cursor=${encodeURIComponent(last.next)}`));
      last = { ...last, products: [...last.products, ...page.data], next: page.next_cursor };
      const added = page.data.map((product) => card(product));
      grid.append(...added);
      added[0]?.querySelector("a").focus();
      below.hidden = !last.next;
      fill(document.getElementById("result"), result());
      announce(`${count(page.data.length, "more product", "more products")}.`);
    } catch (error) {
      fill(failure, explain(error));
      failure.hidden = false;
    }
  }
}

const nothing = ({ query }) =>
  el("div.empty", {},
    el("p.lead", {}, query ? `Nothing is called “${query}” here.` : "There is nothing on this shelf."),
    el("p", {}, "Try fewer letters, or ", el("a", { href: "/shop" }, "look at everything"), "."));

const PAUSE = 200;

/** Makes the search in the header find as one types. */
export function searchAsYouType(searchForm) {
  const input = searchForm.elements.query;
  let timer;
  const search = () => {
    clearTimeout(timer);
    const address = withQuery("/shop", { query: input.value.trim() });
    // One search is one step back, however many letters it took.
    if (location.pathname + location.search !== address) {
      const searching = location.pathname === "/shop" && new URLSearchParams(location.search).has("query");
      go(address, { stay: true, replace: searching }).then(() => announce(document.getElementById("result")?.textContent ?? ""));
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  searchForm.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
}
