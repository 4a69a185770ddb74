use std::collections::BTreeMap;

use kernel::{AnswerId, FieldError, OrderId, PollId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Kind, Question};

/// What somebody says to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = AnswerValue)]
pub(crate) enum Value {
    /// For `rating` and `nps`.
    Number(i64),
    /// The id of the choice for `single_choice`, what is said for `text`.
    Text(String),
    /// The ids of the choices for `multiple_choice`.
    Choices(Vec<String>),
}

/// An answer to one question, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub(crate) struct GivenItem {
    /// Which question.
    #[schema(examples("satisfaction"))]
    pub(crate) question_id: String,
    /// A number for `rating` and `nps`, a text for `text`, the id of a choice for `single_choice`, a list
    /// of them for `multiple_choice`.
    pub(crate) value: Value,
}

/// An answer to one question, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct AnswerItem {
    /// Which question.
    pub(crate) question_id: String,
    /// What was said; null for a text whose author was erased.
    pub(crate) value: Option<Value>,
}

/// An answer to a poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PollAnswer)]
pub(crate) struct Answer {
    /// Names the answer.
    pub(crate) id: AnswerId,
    /// The poll that it answers.
    pub(crate) poll_id: PollId,
    /// The order that it is about.
    pub(crate) order_id: OrderId,
    /// What was said, in the order of the poll's questions.
    pub(crate) answers: Vec<AnswerItem>,
    /// When it was given.
    pub(crate) created_at: Timestamp,
}

/// Answers that fit their poll, in the order of its questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Everything but the texts, in whose places stands nothing.
    pub(crate) items: Vec<AnswerItem>,
    /// The texts by question, which are to be sealed.
    pub(crate) texts: BTreeMap<String, String>,
    /// The first answer on a scale.
    pub(crate) score: Option<i64>,
}

/// Whether `answers` are answers to `questions`.
///
/// # Errors
/// Every complaint, with its pointer into `{"answers": […]}`.
pub(crate) fn check(questions: &[Question], answers: &[GivenItem]) -> Result<Checked, Vec<FieldError>> {
    let mut complaints = Vec::new();
    let mut given = BTreeMap::<&str, &Value>::new();
    for (index, answer) in answers.iter().enumerate() {
        let mut complain = |field: &str, code: &str, detail: String| {
            complaints.push(FieldError::new(format!("/answers/{index}/{field}"), code, detail));
        };
        let Some(question) = questions.iter().find(|question| question.id == answer.question_id) else {
            complain("question_id", "unknown", "is not a question of this poll".to_owned());
            continue;
        };
        if given.insert(&question.id, &answer.value).is_some() {
            complain("question_id", "duplicate", "is answered twice".to_owned());
            continue;
        }
        check_value(question, &answer.value, &mut complain);
    }
    for question in questions.iter().filter(|question| question.required) {
        if !given.contains_key(question.id.as_str()) {
            let detail = format!("must answer the question {:?}", question.id);
            complaints.push(FieldError::new("/answers", "required", detail));
        }
    }
    if complaints.is_empty() { Ok(sorted(questions, &given)) } else { Err(complaints) }
}

fn check_value(question: &Question, value: &Value, complain: &mut impl FnMut(&str, &str, String)) {
    match (question.kind, value) {
        (Kind::Rating | Kind::Nps, Value::Number(number)) => {
            if let Some(scale) = question.kind.scale().filter(|scale| !scale.contains(number)) {
                let detail = format!("must lie between {} and {}", scale.start(), scale.end());
                complain("value", "out_of_range", detail);
            }
        }
        (Kind::SingleChoice, Value::Text(choice)) if question.offers(choice) => {}
        (Kind::SingleChoice, Value::Text(_)) => {
            complain("value", "unknown", "is not a choice of this question".to_owned());
        }
        (Kind::MultipleChoice, Value::Choices(choices)) => check_choices(question, choices, complain),
        (Kind::Text, Value::Text(text)) => check_text(question, text, complain),
        (kind, _) => complain("value", "invalid_type", format!("must be {}", wanted(kind))),
    }
}

fn check_choices(question: &Question, choices: &[String], complain: &mut impl FnMut(&str, &str, String)) {
    if choices.is_empty() {
        complain("value", "too_few", "must have at least 1 item".to_owned());
    }
    // More than are offered cannot all be known and different, so this many say enough.
    for (index, choice) in choices.iter().enumerate().take(question.choices.len() + 1) {
        let field = format!("value/{index}");
        if !question.offers(choice) {
            complain(&field, "unknown", "is not a choice of this question".to_owned());
        } else if choices[..index].contains(choice) {
            complain(&field, "duplicate", "is chosen twice".to_owned());
        }
    }
}

fn check_text(question: &Question, text: &str, complain: &mut impl FnMut(&str, &str, String)) {
    let limit = question.text_limit();
    if text.trim().is_empty() {
        complain("value", "required", "must not be empty; leave the answer out instead".to_owned());
    } else if text.chars().count() > limit {
        complain("value", "too_long", format!("must have at most {limit} characters"));
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        complain("value", "invalid_characters", "must not contain control characters".to_owned());
    }
}

const fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Rating => "a whole number from 1 to 5",
        Kind::Nps => "a whole number from 0 to 10",
        Kind::SingleChoice => "the id of a choice",
        Kind::MultipleChoice => "a list of ids of choices",
        Kind::Text => "a text",
    }
}

fn sorted(questions: &[Question], given: &BTreeMap<&str, &Value>) -> Checked {
    let mut checked = Checked { items: Vec::new(), texts: BTreeMap::new(), score: None };
    for question in questions {
        let Some(value) = given.get(question.id.as_str()) else { continue };
        let kept = match (question.kind, value) {
            (Kind::Text, Value::Text(text)) => {
                checked.texts.insert(question.id.clone(), text.clone());
                None
            }
            (_, value) => Some((*value).clone()),
        };
        if let (None, Some(Value::Number(number))) = (checked.score, &kept) {
            checked.score = Some(*number);
        }
        checked.items.push(AnswerItem { question_id: question.id.clone(), value: kept });
    }
    checked
}

/// Puts texts back into their places.
pub(crate) fn fill(items: &mut [AnswerItem], mut texts: BTreeMap<String, String>) {
    for item in items.iter_mut().filter(|item| item.value.is_none()) {
        item.value = texts.remove(&item.question_id).map(Value::Text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Choice, default_poll};
    use super::*;

    /// The default poll and a question with several answers.
    fn questions() -> Vec<Question> {
        let mut questions = default_poll(Timestamp::EPOCH).questions;
        let choices = ["price", "range", "service"].map(|id| Choice { id: id.into(), label: id.into() });
        questions.push(Question {
            id: "liked".into(),
            kind: Kind::MultipleChoice,
            label: "What did you like?".into(),
            choices: choices.into(),
            required: false,
            max_length: None,
        });
        questions
    }

    fn given(answers: serde_json::Value) -> Vec<GivenItem> {
        serde_json::from_value(answers).unwrap()
    }

    fn complaints(answers: serde_json::Value) -> Vec<String> {
        let errors = check(&questions(), &given(answers)).unwrap_err();
        errors.into_iter().map(|error| format!("{} {}", error.pointer, error.code)).collect()
    }

    #[test]
    fn good_answers_are_sorted_and_their_texts_set_apart() {
        let answers = given(serde_json::json!([
            {"question_id": "liked", "value": ["service", "price"]},
            {"question_id": "comment", "value": "Parcel came\nearly."},
            {"question_id": "recommend", "value": 0},
            {"question_id": "satisfaction", "value": 5},
        ]));
        let mut checked = check(&questions(), &answers).unwrap();
        let ids: Vec<_> = checked.items.iter().map(|item| item.question_id.as_str()).collect();
        assert_eq!(ids, ["satisfaction", "recommend", "comment", "liked"]);
        assert_eq!(checked.score, Some(5));
        assert_eq!(checked.items[2].value, None);
        fill(&mut checked.items, checked.texts);
        assert_eq!(checked.items[2].value, Some(Value::Text("Parcel came\nearly.".into())));
    }

    #[test]
    fn every_complaint_has_its_pointer() {
        let found = complaints(serde_json::json!([
            {"question_id": "recommend", "value": 11},
            {"question_id": "discovery", "value": "dream"},
            {"question_id": "comment", "value": "x".repeat(1_001)},
            {"question_id": "liked", "value": ["price", "price", "smell"]},
            {"question_id": "colour", "value": 1},
            {"question_id": "recommend", "value": 1},
        ]));
        assert_eq!(
            found,
            [
                "/answers/0/value out_of_range",
                "/answers/1/value unknown",
                "/answers/2/value too_long",
                "/answers/3/value/1 duplicate",
                "/answers/3/value/2 unknown",
                "/answers/4/question_id unknown",
                "/answers/5/question_id duplicate",
                "/answers required",
            ]
        );
        for (question, value, code) in [
            ("satisfaction", serde_json::json!("5"), "invalid_type"),
            ("satisfaction", serde_json::json!(0), "out_of_range"),
            ("satisfaction", serde_json::json!(6), "out_of_range"),
            ("discovery", serde_json::json!(["friend"]), "invalid_type"),
            ("liked", serde_json::json!("price"), "invalid_type"),
            ("liked", serde_json::json!([]), "too_few"),
            ("comment", serde_json::json!(" \n"), "required"),
            ("comment", serde_json::json!("bell\u{7}"), "invalid_characters"),
        ] {
            let found = complaints(serde_json::json!([{"question_id": question, "value": value}]));
            assert_eq!(found[0], format!("/answers/0/value {code}"), "{question} {value}");
        }
    }

    /// Mostly answers that fit, so that both outcomes are met.
    fn any_answers() -> impl Strategy<Value = Vec<GivenItem>> {
        let id = || prop::sample::select(vec!["price", "range", "service", "friend", "other", "dream", ""]);
        let value = prop_oneof![
            (-1_i64..12).prop_map(Value::Number),
            id().prop_map(|id| Value::Text(id.to_owned())),
            ".{0,30}".prop_map(Value::Text),
            prop::collection::vec(id().prop_map(str::to_owned), 0..4).prop_map(Value::Choices),
        ];
        let fitting = prop_oneof![
            (1_i64..6).prop_map(|stars| ("satisfaction", Value::Number(stars))),
            (0_i64..11).prop_map(|score| ("recommend", Value::Number(score))),
            Just(("discovery", Value::Text("friend".to_owned()))),
            "[a-z]{1,9}".prop_map(|text| ("comment", Value::Text(text))),
            Just(("liked", Value::Choices(vec!["range".to_owned(), "price".to_owned()]))),
        ];
        let ids = vec!["satisfaction", "recommend", "discovery", "comment", "liked", "colour"];
        let item = prop_oneof![4 => fitting, 1 => (prop::sample::select(ids), value)]
            .prop_map(|(id, value)| GivenItem { question_id: id.to_owned(), value });
        prop::collection::vec(item, 0..5)
    }

    proptest! {
        #[test]
        fn what_passes_fits_its_question_and_nothing_is_lost(answers in any_answers()) {
            let questions = questions();
            match check(&questions, &answers) {
                Ok(mut checked) => {
                    prop_assert_eq!(checked.items.len(), answers.len());
                    prop_assert!(checked.items.iter().any(|item| item.question_id == "satisfaction"));
                    fill(&mut checked.items, checked.texts);
                    for answer in &answers {
                        let question = questions.iter().find(|it| it.id == answer.question_id).unwrap();
                        let kept = checked.items.iter().find(|it| it.question_id == question.id).unwrap();
                        prop_assert_eq!(kept.value.as_ref(), Some(&answer.value));
                        let fits = match (&answer.value, question.kind) {
                            (Value::Number(number), kind) => kind.scale().unwrap().contains(number),
                            (Value::Text(text), Kind::Text) => !text.trim().is_empty(),
                            (Value::Text(choice), Kind::SingleChoice) => question.offers(choice),
                            (Value::Choices(all), Kind::MultipleChoice) => {
                                !all.is_empty() && all.iter().all(|choice| question.offers(choice))
                            }
                            _ => false,
                        };
                        prop_assert!(fits, "{:?}", answer);
                    }
                }
                Err(complaints) => {
                    prop_assert!(!complaints.is_empty());
                    prop_assert!(complaints.iter().all(|error| error.pointer.starts_with("/answers")));
                }
            }
        }
    }
}
