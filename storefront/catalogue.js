import { get } from "./api.js";
import { money } from "./format.js";
import { el } from "./dom.js";

/** What is asked once and then known: the shape of the catalogue does not change while somebody looks around. */
const once = (ask) => {
  let asked = null;
  return () => (asked ??= ask().catch((error) => {
    asked = null;
    throw error;
  }));
};

/** The tree of categories: `{path, name, products, children}`. */
export const categories = once(async () => (await get("/v1/categories")).data);

/** All brands: `{key, name, products}`. */
export const brands = once(async () => (await get("/v1/brands")).data);

const products = new Map();

/** A product for a small picture of it: as it was when it was last asked for, if it was. */
export function knownProduct(id) {
  if (!products.has(id)) products.set(id, get(`/v1/products/${id}`).catch(() => null));
  return products.get(id);
}

/** The picture of a product, which takes its place before it is there. */
export function picture(product, { eager = false, small = false } = {}) {
  const image = product?.images[0];
  const frame = el(small ? "span.picture.picture-small" : "span.picture", {});
  if (image) {
    const loading = eager ? "eager" : "lazy";
    frame.append(el("img", { src: image.url, alt: small ? "" : image.alt, width: 400, height: 460, loading, decoding: "async" }));
  }
  return frame;
}

/** The lowest price, and whether there are others. */
export function priceOf({ variants }) {
  const amounts = variants.map((variant) => variant.price.amount);
  const lowest = variants.find((variant) => variant.price.amount === Math.min(...amounts));
  const several = amounts.some((amount) => amount !== lowest.price.amount);
  return `${several ? "from " : ""}${money(lowest.price)}`;
}

/** A product in a list. */
export function card(product, { eager = false } = {}) {
  const soldOut = product.variants.every((variant) => variant.available === 0);
  const shades = product.variants.length;
  return el(
    "li.card",
    {},
    el("a.card-link", { href: `/products/${product.handle}` },
      picture(product, { eager }),
      el("span.card-brand", {}, product.brand),
      el("span.card-title", {}, product.title),
      el("span.card-price", {}, priceOf(product)),
      shades > 1 && el("span.card-more", {}, `${shades} choices`),
      soldOut && el("span.badge", {}, "Sold out")),
  );
}
