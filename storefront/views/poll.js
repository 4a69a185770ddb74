import { call, newKey } from "../api.js";
import { el, fill, toast } from "../dom.js";
import { form } from "../form.js";

const RATINGS = [1, 2, 3, 4, 5];
const LIKELY = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const ENDS = { rating: "1 is not good, 5 is very good", nps: "0 is not at all, 10 is very" };

/** The poll after a purchase. */
export function poll({ id, title, questions }, order) {
  const key = newKey();
  const element = el("section.poll", { "aria-labelledby": "poll" });
  const answer = async (values) => {
    const given = questions.map((question) => ({ question_id: question.id, value: valueOf(question, values, element) }));
    const answers = given.filter(({ value }) => value != null && value !== "" && value.length !== 0);
    await call("POST", `/v1/polls/${id}/answers`, { body: { order_id: order, answers }, key });
    fill(element, el("h2", { id: "poll" }, "Thank you"), el("p", {}, "We read every answer."));
    toast("Thank you for your answer.");
  };
  return fill(element,
    el("h2", { id: "poll" }, title),
    form({ id: "poll-form" }, answer, questions.map(ask), el("button.button", { id: "poll-send" }, "Send")));
}

function ask(question) {
  const { id, label, kind, required } = question;
  const legend = el("legend", {}, label, !required && el("span.quiet", {}, " (optional)"), ENDS[kind] && el("span.ends.small.quiet", {}, ENDS[kind]));
  if (kind === "text") {
    return el("p.field", {},
      el("label", { for: `poll-${id}` }, label, !required && el("span.quiet", {}, " (optional)")),
      el("textarea", { id: `poll-${id}`, name: id, rows: 3, "aria-describedby": `poll-${id}-error`, maxlength: question.max_length ?? 1000, required }),
      el("span.error", { id: `poll-${id}-error`, hidden: true }));
  }
  const type = kind === "multiple_choice" ? "checkbox" : "radio";
  const options = kind === "rating" ? scale(RATINGS) : kind === "nps" ? scale(LIKELY) : question.choices.map((one) => [one.id, one.label]);
  const row = kind === "rating" || kind === "nps";
  return el("fieldset.question", {}, legend,
    el(row ? "div.scale" : "div.pills", {}, options.map(([value, text]) =>
      el("label.choice", {}, el("input", { type, name: id, value, required: required && type === "radio" }), el("span", {}, text)))));
}

const scale = (numbers) => numbers.map((number) => [number, number]);

function valueOf({ id, kind }, values, element) {
  if (kind === "rating" || kind === "nps") return values[id] == null ? null : Number(values[id]);
  if (kind !== "multiple_choice") return values[id];
  return [...element.querySelectorAll("input:checked")].filter((input) => input.name === id).map((input) => input.value);
}
