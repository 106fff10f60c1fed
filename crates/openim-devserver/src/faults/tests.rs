#![allow(clippy::unwrap_used)]
use std::sync::mpsc::channel;

use super::*;

fn push<'a>(to: &'a str, platform_id: i32) -> Event<'a> {
    Event {
        user_id: to,
        platform_id: Some(platform_id),
        operation: Some(operation::PUSH_MSG),
        content_type: 101,
        conversation_id: "si_alice_bob",
        seq: 3,
        age_ms: Some(700),
        ..Event::default()
    }
}

fn field(lever: Lever) -> String {
    match Faults::default().set(lever) {
        Err(Error::Args { field, .. }) => field,
        other => format!("{other:?}"),
    }
}

#[test]
fn a_lever_acts_as_often_as_it_counts_and_then_is_gone() {
    let faults = Faults::default();
    assert!(!faults.any(Point::Push));
    let id = faults.set(Lever::new(Point::Push, Effect::Drop).user("bob").times(2)).unwrap();
    assert!(faults.any(Point::Push) && !faults.any(Point::Answer));
    assert_eq!(faults.take(Point::Push, &push("alice", 5)), None);
    assert_eq!(faults.take(Point::Answer, &push("bob", 5)), None);
    assert!(!faults.take(Point::Push, &push("bob", 5)).unwrap().is_last);
    assert_eq!(faults.pending(), [Pending { id, hits: 1, left: Some(1) }]);
    assert!(faults.take(Point::Push, &push("bob", 5)).unwrap().is_last);
    assert_eq!(faults.take(Point::Push, &push("bob", 5)), None);
    assert_eq!(faults.state(id), Pending { id, hits: 2, left: Some(0) });
    assert_eq!((faults.pending(), faults.hits(id), faults.any(Point::Push)), (vec![], 2, false));
}

#[test]
fn the_oldest_lever_that_fits_acts_on_the_connections_that_it_fits() {
    let faults = Faults::default();
    let web =
        Lever { scope: Scope { platform_id: Some(5), ..Scope::default() }, ..Lever::new(Point::Push, Effect::Drop) };
    let first = faults.set(web).unwrap();
    let second = faults.set(Lever::new(Point::Push, Effect::Repeat)).unwrap();
    let fate = faults.take_of(Point::Push, &[push("bob", 2), push("bob", 5)]).unwrap();
    assert_eq!((fate.id, fate.concerned), (first, vec![false, true]));
    assert_eq!(faults.take(Point::Push, &push("bob", 2)).unwrap().id, second);
    faults.clear(first);
    assert_eq!(faults.take(Point::Push, &push("bob", 5)).unwrap().id, second);
    faults.clear_all();
    assert!(!faults.any(Point::Push));
}

#[test]
fn every_part_of_a_scope_can_keep_a_lever_from_acting() {
    let scope = Scope {
        user_id: Some("bob".into()),
        platform_id: Some(5),
        operation: None,
        path: None,
        content_type: Some(101),
        conversation_id: Some("si_alice_bob".into()),
        stored: true,
        younger_than_ms: Some(701),
    };
    let fits = |event: Event<'_>| {
        let faults = Faults::default();
        faults.set(Lever { scope: scope.clone(), ..Lever::new(Point::Push, Effect::Drop) }).unwrap();
        faults.take(Point::Push, &event).is_some()
    };
    let event = push("bob", 5);
    assert!(fits(event));
    assert!(!fits(Event { user_id: "bobby", ..event }));
    assert!(!fits(Event { platform_id: None, ..event }));
    assert!(!fits(Event { operation: Some(operation::SUB_ONLINE_STATUS), ..event }), "messages where none is named");
    assert!(!fits(Event { content_type: 102, ..event }));
    assert!(!fits(Event { conversation_id: "", ..event }));
    assert!(!fits(Event { seq: 0, ..event }));
    assert!(!fits(Event { age_ms: Some(701), ..event }));
}

#[test]
fn what_cannot_act_is_refused_by_name() {
    assert_eq!(field(Lever::new(Point::Push, Effect::Drop).times(0)), "count");
    assert_eq!(field(Lever::new(Point::Push, Effect::Reverse)), "count");
    assert_eq!(field(Lever::new(Point::Push, Effect::Reverse).times(1)), "count");
    assert_eq!(field(Lever::new(Point::Push, Effect::Delay { ms: 600_001 })), "ms");
    assert_eq!(field(Lever::new(Point::Request, Effect::Refuse { code: 0, message: None })), "code");
    assert_eq!(field(Lever::new(Point::Push, Effect::Refuse { code: 1, message: None })), "effect");
    assert_eq!(field(Lever::new(Point::Store, Effect::Drop)), "effect");
    assert_eq!(field(Lever::new(Point::Answer, Effect::Repeat).path("/user")), "path");
    assert_eq!(field(Lever::new(Point::Answer, Effect::Drop).path("user")), "path");
    assert_eq!(field(Lever::new(Point::Push, Effect::Drop).path("/user")), "path");
    assert_eq!(field(Lever::new(Point::Answer, Effect::Drop).path("/user").operation(1001)), "operation");
}

#[test]
fn what_is_held_leaves_in_reverse_order_with_the_last_or_when_the_lever_is_cleared() {
    let faults = Faults::default();
    let (sender, receiver) = channel();
    let hold = |id, number: u32, is_last| {
        let sender = sender.clone();
        faults.hold(id, is_last, move || sender.send(number).unwrap());
    };
    let left = || receiver.try_iter().collect::<Vec<_>>();
    let id = faults.set(Lever::new(Point::Push, Effect::Reverse).times(3)).unwrap();
    hold(id, 1, false);
    hold(id, 2, false);
    assert_eq!(left(), [0; 0]);
    hold(id, 3, true);
    assert_eq!(left(), [3, 2, 1]);
    for clear in [Faults::clear as fn(&Faults, u64), |faults, _| faults.clear_all()] {
        let id = faults.set(Lever::new(Point::Push, Effect::Reverse).times(3)).unwrap();
        hold(id, 1, false);
        hold(id, 2, false);
        clear(&faults, id);
        assert_eq!(left(), [2, 1]);
        hold(id, 3, true);
        assert_eq!(left(), [3], "the lever is gone");
    }
}

#[tokio::test]
async fn whoever_waits_for_a_lever_learns_that_it_acted_or_is_over() {
    let faults = Faults::default();
    let id = faults.set(Lever::new(Point::Push, Effect::Drop).times(2)).unwrap();
    let waiting = {
        let faults = faults.clone();
        tokio::spawn(async move { faults.acted(id, 2).await })
    };
    faults.take(Point::Push, &push("bob", 5)).unwrap();
    faults.take(Point::Push, &push("bob", 5)).unwrap();
    assert!(waiting.await.unwrap());
    assert!(faults.acted(id, 1).await, "it has acted, although it is gone");
    let id = faults.set(Lever::new(Point::Push, Effect::Drop)).unwrap();
    let cleared = async {
        tokio::task::yield_now().await;
        faults.clear(id);
    };
    assert!(!tokio::join!(faults.acted(id, 1), cleared).0);
    assert!(!faults.acted(99, 1).await);
}

#[test]
fn levers_and_disturbances_are_read_from_json() {
    let lever: Lever = serde_json::from_str(
        r#"{"at":"answer","effect":"delay","ms":5,"userID":"bob","platformID":5,"operation":1003,"count":2}"#,
    )
    .unwrap();
    let mut expected = Lever::new(Point::Answer, Effect::Delay { ms: 5 }).user("bob").operation(1003).times(2);
    expected.scope.platform_id = Some(5);
    assert_eq!(lever, expected);
    let read = |text: &str| serde_json::from_str::<Disturbance>(text).unwrap();
    assert_eq!(read(r#"{"what":"kick"}"#), Disturbance::Kick);
    assert_eq!(
        read(r#"{"what":"close","code":1001,"reason":"bye"}"#),
        Disturbance::Close { code: Some(1001), reason: "bye".into() }
    );
    let send = |frame| Disturbance::Send { frame };
    assert_eq!(
        read(r#"{"what":"send","kind":"binary","base64":"AQI="}"#),
        send(RawFrame::Binary { bytes: vec![1, 2] })
    );
    assert_eq!(read(r#"{"what":"send","kind":"gzipBomb"}"#), send(RawFrame::GzipBomb));
    let field = |text: &str| match read(text).check() {
        Err(Error::Args { field, .. }) => field,
        other => format!("{other:?}"),
    };
    assert_eq!(field(r#"{"what":"close","code":1005}"#), "code");
    assert_eq!(field(r#"{"what":"close","reason":"no code"}"#), "reason");
    assert_eq!(field(&format!(r#"{{"what":"close","code":1000,"reason":"{}"}}"#, "x".repeat(124))), "reason");
    assert_eq!(field(r#"{"what":"send","kind":"oversized","bytes":67108865}"#), "bytes");
    assert!(read(r#"{"what":"send","kind":"truncated"}"#).check().is_ok());
}
