use std::collections::BTreeMap;

use kernel::PollId;
use serde::Serialize;

use super::{AnswerItem, Kind, Poll, Question, Value};

/// How often what was said, by question and value. The empty question counts whole answers, the empty
/// value those who said anything to the question.
pub(crate) type Counts = BTreeMap<(String, String), i64>;

/// What an answer adds one to.
pub(crate) fn tallies(items: &[AnswerItem]) -> Vec<(String, String)> {
    let mut tallies = vec![(String::new(), String::new())];
    for AnswerItem { question_id, value } in items {
        let mut count = |value: String| tallies.push((question_id.clone(), value));
        count(String::new());
        match value {
            None => {}
            Some(Value::Number(number)) => count(number.to_string()),
            Some(Value::Text(choice)) => count(choice.clone()),
            Some(Value::Choices(choices)) => choices.iter().cloned().for_each(count),
        }
    }
    // Always in one order, so that two answers at once never wait for each other in a circle.
    tallies.sort();
    tallies
}

/// What all answers to a poll add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PollResults)]
pub(crate) struct Results {
    /// The poll.
    pub(crate) poll_id: PollId,
    /// How many answered.
    pub(crate) answers: i64,
    /// The results of each question, in the poll's order.
    pub(crate) questions: Vec<QuestionResults>,
}

/// What all answers to a question add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct QuestionResults {
    /// The question.
    pub(crate) question_id: String,
    /// What kind of answers it takes.
    pub(crate) kind: Kind,
    /// What is asked.
    pub(crate) label: String,
    /// How many said anything to it.
    pub(crate) answered: i64,
    /// How often each value was said, those that nobody said among them; empty for `text`.
    pub(crate) counts: Vec<ValueCount>,
    /// For `rating` and `nps`: the mean in thousandths, so 4250 is 4.25; absent while nobody answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) average_permille: Option<i64>,
    /// For `nps`: the share of promoters less that of detractors in thousandths, -1000 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nps_permille: Option<i64>,
}

/// How often a value was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct ValueCount {
    /// The number, or the id of the choice.
    pub(crate) value: String,
    /// How many gave it.
    pub(crate) count: i64,
}

/// What `counts` say about `poll`.
pub(crate) fn results(poll: &Poll, counts: &Counts) -> Results {
    Results {
        poll_id: poll.id,
        answers: count(counts, "", ""),
        questions: poll.questions.iter().map(|question| of_question(question, counts)).collect(),
    }
}

fn count(counts: &Counts, question: &str, value: &str) -> i64 {
    counts.get(&(question.to_owned(), value.to_owned())).copied().unwrap_or(0)
}

fn of_question(question: &Question, counts: &Counts) -> QuestionResults {
    let said = |value: String| ValueCount { count: count(counts, &question.id, &value), value };
    let scale = question.kind.scale();
    let numbers: Vec<(i64, i64)> = scale
        .clone()
        .into_iter()
        .flatten()
        .map(|number| (number, count(counts, &question.id, &number.to_string())))
        .collect();
    let answered = count(counts, &question.id, "");
    let sum = numbers.iter().map(|(number, times)| number * times).sum();
    let is_nps = question.kind == Kind::Nps;
    QuestionResults {
        question_id: question.id.clone(),
        kind: question.kind,
        label: question.label.clone(),
        answered,
        average_permille: scale.as_ref().and_then(|_| permille(sum, answered)),
        nps_permille: is_nps.then(|| permille(net_promoters(&numbers), answered)).flatten(),
        counts: match scale {
            Some(scale) => scale.map(|number| said(number.to_string())).collect(),
            None => question.choices.iter().map(|choice| said(choice.id.clone())).collect(),
        },
    }
}

/// Promoters less detractors.
fn net_promoters(numbers: &[(i64, i64)]) -> i64 {
    let side = |number: i64| match number {
        9.. => 1,
        7..=8 => 0,
        _ => -1,
    };
    numbers.iter().map(|(number, times)| side(*number) * times).sum()
}

/// `part` of `whole` in thousandths, rounded half away from zero; nothing of nothing.
fn permille(part: i64, whole: i64) -> Option<i64> {
    let half = if part < 0 { -(whole / 2) } else { whole / 2 };
    part.checked_mul(1_000)?.checked_add(half)?.checked_div(whole)
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::super::default_poll;
    use super::*;

    fn item(question: &str, value: Option<Value>) -> AnswerItem {
        AnswerItem { question_id: question.to_owned(), value }
    }

    #[test]
    fn results_are_what_the_answers_add_up_to() {
        let mut counts = Counts::new();
        for (rating, nps) in [(5, 10), (4, 9), (4, 7), (1, 0)] {
            let answer = [
                item("satisfaction", Some(Value::Number(rating))),
                item("recommend", Some(Value::Number(nps))),
                item("discovery", Some(Value::Text("friend".into()))),
                item("comment", None),
            ];
            for tally in tallies(&answer) {
                *counts.entry(tally).or_default() += 1;
            }
        }
        let results = results(&default_poll(Timestamp::EPOCH), &counts);
        assert_eq!(results.answers, 4);
        let [satisfaction, recommend, discovery, comment] = results.questions.as_slice() else { panic!() };
        assert_eq!((satisfaction.average_permille, satisfaction.nps_permille), (Some(3_500), None));
        assert_eq!(satisfaction.counts.iter().map(|it| it.count).collect::<Vec<_>>(), [1, 0, 0, 2, 1]);
        assert_eq!((recommend.average_permille, recommend.nps_permille), (Some(6_500), Some(250)));
        assert_eq!(discovery.counts[2], ValueCount { value: "friend".into(), count: 4 });
        assert_eq!((comment.answered, comment.counts.len(), comment.average_permille), (4, 0, None));
    }

    #[test]
    fn nobody_has_no_mean_and_halves_go_away_from_zero() {
        let results = results(&default_poll(Timestamp::EPOCH), &Counts::new());
        assert_eq!(results.answers, 0);
        assert!(
            results.questions.iter().all(|it| it.average_permille.is_none() && it.nps_permille.is_none())
        );
        assert_eq!([permille(1, 3), permille(2, 3), permille(-2, 3)], [Some(333), Some(667), Some(-667)]);
        assert_eq!([permille(1, 16), permille(-1, 16)], [Some(63), Some(-63)]);
    }
}
