const locale = navigator.languages?.[0] ?? "en";

/** Money from minor units, however many of them the currency has. */
export function money({ amount, currency }) {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits;
  // As a decimal text, because not every amount of minor units is a number of major ones.
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  const major = digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
  return format.format(amount < 0 ? `-${major}` : major);
}

const DAY = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
const MOMENT = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** The day of a moment, as a `time` would show it. */
export const day = (at) => DAY.format(new Date(at));

/** Day and time of a moment. */
export const moment = (at) => MOMENT.format(new Date(at));

const AGO = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [Infinity, "day"]];

/** How long ago, in words. */
export function ago(at) {
  let past = (new Date(at) - Date.now()) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(past) < size) return AGO.format(Math.round(past), unit);
    past /= size;
  }
  return day(at);
}

/** A country's name by its code of ISO 3166-1. */
export function country(code) {
  try {
    return new Intl.DisplayNames(locale, { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** `one` or `many` of something, with the number. */
export const count = (number, one, many) => `${new Intl.NumberFormat(locale).format(number)} ${number === 1 ? one : many}`;

/** The lines of an address, as on an envelope. */
export function addressLines({ name, line1, line2, postal_code, city, region, country: code }) {
  const town = [city, region, postal_code].filter(Boolean).join(", ");
  return [name, line1, line2, town, country(code)].filter(Boolean);
}

const WORDS = {
  pending: "Waiting for the payment",
  placed: "Placed",
  completed: "Completed",
  cancelled: "Cancelled",
  created: "Not paid yet",
  requires_action: "Waiting for you",
  processing: "Being paid",
  authorized: "Money set aside",
  captured: "Paid",
  partially_refunded: "Partly refunded",
  refunded: "Refunded",
  voided: "Nothing taken",
  failed: "Payment failed",
  unknown: "Payment being checked",
  unfulfilled: "Being packed",
  partially_fulfilled: "Partly sent",
  fulfilled: "Sent",
};

/** A status in words. */
export const statusWord = (status) => WORDS[status] ?? status.replaceAll("_", " ");
