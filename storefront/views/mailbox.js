import { get } from "../api.js";
import { el, fill } from "../dom.js";
import { ago, moment } from "../format.js";
import { explain } from "../words.js";

const LOOK_AGAIN = 1_500;

/** The demo's mail. It is kept on this machine and was sent to nobody. */
export async function mailbox({ signal }) {
  const list = el("ol.mails", { id: "mails" });
  const reader = el("section.mail", { id: "mail", "aria-label": "The mail" });
  let mails = [];
  let open = null;
  const draw = () => {
    const focused = list.contains(document.activeElement) && document.activeElement.id;
    fill(list, mails.map((mail) => entry(mail, open, () => read(mail))));
    if (focused) document.getElementById(focused)?.focus();
  };
  const read = (mail) => {
    open = mail.name;
    fill(reader, letter(mail));
    draw();
  };
  const look = async () => {
    const { data } = await get("/demo/mails", { signal });
    if (data[0]?.name === mails[0]?.name) return;
    mails = data;
    if (open) draw();
    else read(mails[0]);
  };
  fill(reader, el("p.quiet", {}, "Nothing has been sent yet. Open an account or buy something, and the mail is here a moment later."));
  const content = [
    el("section.section", {},
      el("h1", {}, "Mailbox"),
      el("p.quiet", {}, "All that the demo would have sent, to whomever. It is shown on this machine only."),
      el("div.mailbox", {}, list, reader)),
  ];
  try {
    await look();
  } catch (error) {
    if (error.status !== 403) throw error;
    fill(reader, el("p.notice", {}, explain(error)));
    return { title: "Mailbox", content };
  }
  const timer = setInterval(() => !document.hidden && look().catch(() => {}), LOOK_AGAIN);
  signal.addEventListener("abort", () => clearInterval(timer));
  return { title: "Mailbox", content };
}

const entry = ({ name, to, subject, sent_at: at }, open, onclick) =>
  el("li", {},
    el("button.mail-entry", { type: "button", id: `mail-${name}`, "aria-pressed": String(name === open), onclick },
      el("span.mail-subject", {}, subject),
      el("span.small.quiet", {}, `to ${to}, `, el("time", { datetime: at }, ago(at)))));

/** The mail in a frame that can run nothing, load nothing, and not reach this page; its links open here. */
const letter = ({ name, from, to, subject, sent_at: at, text }) => [
  el("h2", {}, subject),
  el("p.small.quiet", {}, `From ${from} to ${to}, ${moment(at)}`),
  el("iframe", {
    src: `/demo/mails/${name}`, title: subject, sandbox: "allow-top-navigation-by-user-activation", referrerpolicy: "no-referrer",
  }),
  el("details.details", {}, el("summary", {}, "As plain text"), el("pre", { id: "mail-text" }, text)),
];
