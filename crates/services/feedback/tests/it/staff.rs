use kernel::{PollId, Uuid};
use serde_json::{Value, json};
use testkit::{Answer, Client};
use web::Role;

use crate::support::{complaints, everything, everywhere, rating};

const POLLS: &str = "/v1/admin/polls";

fn new_poll() -> Value {
    json!({
        "placement": "post_purchase",
        "title": "The parcel",
        "questions": [
            {"id": "condition", "kind": "rating", "label": "In what condition did it come?", "required": true},
            {"id": "liked", "kind": "multiple_choice", "label": "What did you like?", "choices": [
                {"id": "box", "label": "The box"}, {"id": "note", "label": "The note"}]},
            {"id": "words", "kind": "text", "label": "In your own words?", "max_length": 20},
        ],
    })
}

async fn patch(client: &Client, path: &str, version: &str, change: Value) -> Answer {
    client.send("PATCH", path, &[("if-match", version)], Some(change)).await
}

#[test]
fn a_poll_is_made_read_changed_and_closed() {
    everywhere(async |world| {
        let support = world.support();
        let send = async |body| support.send("POST", POLLS, &[("idempotency-key", "p-1")], Some(body)).await;
        let made = send(new_poll()).await.expect(201);
        assert_eq!(send(new_poll()).await.expect(201).body, made.body);
        assert_eq!((made.header("etag"), &made.body["status"]), ("\"1\"", &json!("active")));
        assert_eq!(made.body["questions"][0], new_poll()["questions"][0]);

        let path = made.header("location").to_owned();
        let read = support.get(&path).await.expect(200);
        assert_eq!((&read.body, read.header("etag")), (&made.body, "\"1\""));
        let same = patch(&support, &path, "\"1\"", json!({"title": "The parcel"})).await.expect(200);
        assert_eq!(same.header("etag"), "\"1\"");
        let closed = patch(&support, &path, "\"1\"", json!({"title": "Parcels", "status": "closed"})).await;
        let closed = closed.expect(200);
        assert_eq!((closed.header("etag"), &closed.body["title"]), ("\"2\"", &json!("Parcels")));

        let stale = patch(&support, &path, "\"1\"", json!({"status": "active"})).await.expect(412);
        assert_eq!((stale.code(), &stale.body["current_version"]), ("precondition.failed", &json!(2)));
        let blind = support.send("PATCH", &path, &[], Some(json!({"status": "active"}))).await.expect(428);
        assert_eq!(blind.code(), "precondition.required");
        for (change, complaint) in [
            (json!({"title": ""}), "/title required"),
            (json!({"status": "paused"}), "/status invalid_value"),
            (json!({"questions": []}), "/questions unknown_field"),
        ] {
            assert_eq!(complaints(&patch(&support, &path, "\"2\"", change).await.expect(400)), [complaint]);
        }
    });
}

#[test]
fn a_poll_that_cannot_be_asked_is_refused_with_pointers() {
    everywhere(async |world| {
        let choice = json!({"id": "box", "label": "The box"});
        let twice = vec![new_poll()["questions"][0].clone(); 2];
        for (at, field, value, complaint) in [
            ("", "title", json!(" "), "/title required"),
            ("", "placement", json!("exit"), "/placement invalid_value"),
            ("", "colour", json!("red"), "/colour unknown_field"),
            ("", "questions", json!([]), "/questions too_few"),
            ("", "questions", json!(twice), "/questions duplicate"),
            ("/questions/0", "id", json!("Was it?"), "/questions/0/id invalid_value"),
            ("/questions/0", "label", json!(""), "/questions/0/label required"),
            ("/questions/0", "kind", json!("stars"), "/questions/0/kind invalid_value"),
            ("/questions/0", "choices", json!([choice]), "/questions/0/choices not_allowed"),
            ("/questions/0", "max_length", json!(5), "/questions/0/max_length not_allowed"),
            ("/questions/0", "colour", json!("red"), "/questions/0/colour unknown_field"),
            ("/questions/1", "choices", json!([choice]), "/questions/1/choices too_few"),
            ("/questions/1", "choices", json!([choice, choice]), "/questions/1/choices duplicate"),
            ("/questions/1/choices/0", "label", json!(""), "/questions/1/choices/0/label required"),
            ("/questions/2", "max_length", json!(2_001), "/questions/2/max_length out_of_range"),
        ] {
            let mut poll = new_poll();
            poll.pointer_mut(at).unwrap()[field] = value;
            let refused = world.support().post(POLLS, poll).await.expect(400);
            assert_eq!(complaints(&refused), [complaint]);
        }
    });
}

#[test]
fn results_are_counted_as_answers_come() {
    everywhere(async |world| {
        let path = format!("{POLLS}/{}/results", world.poll().await);
        let none = world.support().get(&path).await.expect(200).body;
        assert_eq!((&none["answers"], none["questions"][0].get("average_permille")), (&json!(0), None));
        for (number, answers) in [(1, everything()), (2, rating(5)), (3, rating(1))] {
            let (_, client) = world.buyer(number, &[number]).await;
            world.answer(&client, number, answers).await.expect(201);
        }
        let results = world.client.staff(&[Role::Analyst]).get(&path).await.expect(200).body;
        assert_eq!(results["answers"], 3);
        let [satisfaction, recommend, discovery, comment] = &results["questions"].as_array().unwrap()[..]
        else {
            panic!("{results}")
        };
        assert_eq!(satisfaction["average_permille"], 3_333);
        assert_eq!(satisfaction["counts"][4], json!({"value": "5", "count": 1}));
        assert_eq!((&recommend["nps_permille"], &recommend["answered"]), (&json!(1_000), &json!(1)));
        assert_eq!(discovery["counts"][2], json!({"value": "friend", "count": 1}));
        assert_eq!((&comment["answered"], &comment["counts"]), (&json!(1), &json!([])));
    });
}

#[test]
fn lists_come_in_pages() {
    everywhere(async |world| {
        let support = world.support();
        for number in 1..=3 {
            let (_, client) = world.buyer(number, &[number]).await;
            world.answer(&client, number, everything()).await.expect(201);
            support.post(POLLS, new_poll()).await.expect(201);
        }
        for (list, items) in [(format!("{POLLS}/{}/answers", world.poll().await), 3), (POLLS.to_owned(), 4)] {
            let mut ids = Vec::new();
            let mut next = Some(format!("{list}?limit=2"));
            while let Some(path) = next {
                let page = support.get(&path).await.expect(200);
                ids.extend(page.body["data"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
                next =
                    page.body["next_cursor"].as_str().map(|cursor| format!("{list}?limit=2&cursor={cursor}"));
                assert_eq!(page.headers.contains_key("link"), next.is_some());
            }
            assert_eq!(ids.len(), items);
            assert!(ids.is_sorted_by(|earlier, later| earlier > later), "{ids:?}");
            let refused = support.get(&format!("{list}?cursor=nonsense")).await.expect(400);
            assert_eq!(refused.code(), "request.bad_cursor");
        }
    });
}

#[test]
fn staff_read_who_said_what() {
    everywhere(async |world| {
        let (ada, client) = world.buyer(1, &[10]).await;
        let made = world.answer(&client, 10, everything()).await.expect(201).body;
        let path = format!("{POLLS}/{}/answers", world.poll().await);
        let read = world.support().get(&path).await.expect(200).body["data"][0].clone();
        assert_eq!((&read["id"], &read["answers"]), (&made["id"], &everything()));
        assert_eq!(read["customer_id"], json!(ada));
    });
}

#[test]
fn every_staff_route_refuses_the_others() {
    everywhere(async |world| {
        let poll = format!("{POLLS}/{}", world.poll().await);
        let (_, customer) = world.buyer(1, &[]).await;
        let nobody = world.client.staff(&[Role::Catalog, Role::Unknown]);
        let routes = [
            ("GET", POLLS.to_owned(), None),
            ("POST", POLLS.to_owned(), Some(new_poll())),
            ("GET", poll.clone(), None),
            ("PATCH", poll.clone(), Some(json!({"status": "closed"}))),
            ("GET", format!("{poll}/results"), None),
            ("GET", format!("{poll}/answers"), None),
        ];
        for (method, path, body) in &routes {
            let send = async |client: &Client| {
                client.send(method, path, &[("if-match", "\"1\"")], body.clone()).await
            };
            assert_eq!(send(&world.client).await.expect(401).code(), "auth.missing", "{method} {path}");
            for caller in [&customer, &nobody] {
                assert_eq!(send(caller).await.expect(403).code(), "auth.forbidden", "{method} {path}");
            }
            let analyst = send(&world.client.staff(&[Role::Analyst])).await;
            assert_eq!(analyst.status, if *method == "GET" { 200 } else { 403 }, "{method} {path}");
            let administrator = send(&world.client.staff(&[Role::Administrator])).await;
            assert_eq!(administrator.status / 100, 2, "{method} {path}");
        }
    });
}

#[test]
fn a_poll_that_is_not_there_is_nowhere() {
    everywhere(async |world| {
        let path = format!("{POLLS}/{}", PollId::from_uuid(Uuid::from_u128(7)));
        for below in ["", "/results", "/answers"] {
            let refused = world.support().get(&format!("{path}{below}")).await.expect(404);
            assert_eq!(refused.code(), "feedback.poll_not_found");
        }
        let refused = patch(&world.support(), &path, "\"1\"", json!({})).await.expect(404);
        assert_eq!(refused.code(), "feedback.poll_not_found");
    });
}
