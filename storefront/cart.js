import { Problem, call } from "./api.js";
import { session } from "./session.js";

/** What is in the bag. The shop tells guests apart by a cookie, and makes their bag part of the customer's at sign-in. */
class Cart extends EventTarget {
  /** `{id, version, items, subtotal}`; null before the first answer. */
  content = null;
  #etag = null;
  #others = new BroadcastChannel("maren-vale.cart");

  constructor() {
    super();
    this.#others.addEventListener("message", () => this.load().catch(() => {}));
    session.addEventListener("change", () => this.load().catch(() => {}));
  }

  /** How many pieces there are. */
  get pieces() {
    return this.content?.items.reduce((sum, item) => sum + item.quantity, 0) ?? 0;
  }

  /** How many there are of one variant. */
  quantity(variant) {
    return this.content?.items.find((item) => item.variant_id === variant)?.quantity ?? 0;
  }

  async load() {
    return this.#take(await call("GET", "/v1/carts/me"));
  }

  /** Adds to what is there of a variant, however many that is by now. */
  async add(variant, more) {
    if (!this.content) await this.load();
    try {
      return await this.set(variant, this.quantity(variant) + more);
    } catch (error) {
      if (!(error instanceof Problem && error.code === "precondition.failed")) throw error;
      await this.load();
      return this.set(variant, this.quantity(variant) + more);
    }
  }

  /**
   * Sets how many there are of a variant; none takes it out. Only the bag that is shown is changed: when it
   * was changed elsewhere meanwhile, the present one is loaded and the problem is thrown.
   */
  async set(variant, quantity) {
    const path = `/v1/carts/me/items/${variant}`;
    const options = { match: this.content?.version ? this.#etag : undefined };
    try {
      const answer = quantity
        ? await call("PUT", path, { ...options, body: { quantity } })
        : await call("DELETE", path, options);
      this.#take(answer);
      this.#others.postMessage("changed");
    } catch (error) {
      if (error instanceof Problem && error.code === "precondition.failed") await this.load();
      throw error;
    }
  }

  #take({ data, etag }) {
    this.content = data;
    this.#etag = etag;
    this.dispatchEvent(new Event("change"));
    return data;
  }
}

export const cart = new Cart();
