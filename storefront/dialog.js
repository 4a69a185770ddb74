import { el } from "./dom.js";

/**
 * Asks a question that has to be answered first. The browser keeps the focus within a modal dialog, and closes
 * it by Escape.
 *
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes, no = "No, keep it" }) {
  const dialog = el(
    "dialog.dialog",
    { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
    el("h2", { id: "dialog-title" }, title),
    el("p", { id: "dialog-text" }, text),
    el(
      "form.actions",
      { method: "dialog" },
      el("button.button.quiet-button", { value: "no", autofocus: true }, no),
      el("button.button", { value: "yes" }, yes),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
