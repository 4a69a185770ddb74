/** Who is signed in. The tokens are kept by the browser, so that every tab and the way back from a bank has them. */

const KEY = "maren-vale.session";

/** Tells `change` when somebody signs in or out, here or in another tab. */
export const session = new EventTarget();

const stored = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
};

export const signedIn = () => stored() !== null;

/** The access token, if there is one. */
export const accessToken = () => stored()?.access_token;

const keep = ({ access_token, refresh_token }) => localStorage.setItem(KEY, JSON.stringify({ access_token, refresh_token }));

/** Remembers the tokens of somebody who signed in. */
export function signInWith(tokens) {
  keep(tokens);
  session.dispatchEvent(new Event("change"));
}

/** Forgets who is signed in. */
export function forget() {
  if (!signedIn()) return;
  localStorage.removeItem(KEY);
  session.dispatchEvent(new Event("change"));
}

let renewing = null;

/**
 * Gets tokens in place of those with `refused`, an access token that was. One tab at a time does so, where the
 * browser can tell: a refresh token that comes twice is taken for stolen.
 *
 * @returns {Promise<boolean>} whether somebody is still signed in
 */
export function refresh(refused) {
  const alone = () => (navigator.locks ? navigator.locks.request(KEY, () => renew(refused)) : renew(refused));
  renewing ??= alone().finally(() => (renewing = null));
  return renewing;
}

async function renew(refused) {
  const tokens = stored();
  if (!tokens) return false;
  if (tokens.access_token !== refused) return true;
  const answer = await fetch("/v1/auth/refresh", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: tokens.refresh_token }),
  });
  if (answer.ok) {
    keep(await answer.json());
    return true;
  }
  // Anything but a refusal passes: the shop may be busy, and nobody is signed out for that.
  if (answer.status !== 401) throw new TypeError("the session could not be renewed");
  forget();
  return false;
}

addEventListener("storage", ({ key, oldValue, newValue }) => {
  if (key === KEY && (oldValue === null) !== (newValue === null)) session.dispatchEvent(new Event("change"));
});
