import { get } from "../api.js";
import { brands, card, categories, picture } from "../catalogue.js";
import { el } from "../dom.js";
import { count } from "../format.js";

/** The shelves from which a picture stands beside the first words, the large one first. */
const SHOWN = ["fragrance/perfume", "lips/lipstick", "skin/serum"];

/** The front page. */
export async function home() {
  const [newest, tree, makers, ...shown] = await Promise.all([
    get("/v1/products?sort=newest&in_stock=true&limit=8"),
    categories(),
    brands(),
    ...SHOWN.map((category) => get(`/v1/products?category=${category}&sort=title&in_stock=true&limit=1`)),
  ]);
  const pictures = shown.flatMap(({ data }) => data);
  return { title: "Maren Vale", content: [opening(pictures), news(newest.data), shelves(tree), names(makers)] };
}

const opening = (products) =>
  el("section.hero", {},
    el("div.hero-words", {},
      el("p.eyebrow", {}, "Skin, colour and scent"),
      el("h1", {}, "Made slowly.", el("br"), el("em", {}, "Worn daily.")),
      el("p.lead", {}, "Six small houses, one shop. Few ingredients, honest shades, and bottles that are pretty enough to keep."),
      el("p.actions", {},
        el("a.button", { href: "/shop" }, "Shop everything"),
        el("a.text-link", { href: "/shop?category=skin" }, "Begin with skin"))),
    el("ul.hero-pictures", {}, products.map((product) =>
      el("li", {}, el("a", { href: `/products/${product.handle}`, "aria-label": product.title }, picture(product, { eager: true }))))));

const news = (products) =>
  el("section.section", { "aria-labelledby": "news" },
    el("div.section-head", {}, el("h2", { id: "news" }, "New on the shelf"), el("a.text-link", { href: "/shop" }, "See all")),
    el("ul.grid.grid-of-four", {}, products.map((product) => card(product))));

const shelves = (tree) =>
  el("section.section", { "aria-labelledby": "shelves" },
    el("h2", { id: "shelves" }, "By shelf"),
    el("ul.shelves", {}, tree.map(({ path, name, products }) =>
      el("li", {}, el("a", { href: `/shop?category=${path}` }, el("span", {}, name), el("span.quiet.small", {}, count(products, "product", "products")))))));

const names = (makers) =>
  el("section.section", { "aria-labelledby": "makers" },
    el("h2", { id: "makers" }, "The houses"),
    el("ul.makers", {}, makers.map(({ key, name }) => el("li", {}, el("a", { href: `/shop?brand=${key}` }, name)))));
