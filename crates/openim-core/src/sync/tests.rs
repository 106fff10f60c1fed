//! The inbound pipeline on a real database: the rows of the decision table (client-behaviour.md 4.6), and a property test
//! against a model that shares no code with it.

use std::collections::{BTreeMap, BTreeSet};

use openim_proto::constants::{content_type, session};
use openim_proto::content::NotificationElem;
use openim_proto::options;
use openim_proto::sdkws::{MarkAsReadTips, MsgData};
use proptest::prelude::*;
use rusqlite::Connection;

use super::changes::{Changes, Outcome};
use super::inbound::{self, Arrival, Delivery};
use super::{notifications, reset};
use crate::error::Result;
use crate::event::Event;
use crate::store::conversations;
use crate::store::messages::{self, MessageRow};
use crate::store::outbox::{self, OutboxRow};
use crate::store::seqs;

const ID: &str = "si_alice_bob";
const STREAM: &str = "n_alice_bob";

fn database() -> Connection {
    crate::store::in_memory()
}

fn apply<R>(connection: &Connection, job: impl FnOnce(&mut Changes<'_>) -> Result<R>) -> Outcome {
    let mut changes = Changes::new(connection, "alice");
    job(&mut changes).unwrap();
    changes.finish().unwrap()
}

fn text(sender: &str, seq: i64, id: &str) -> MsgData {
    MsgData {
        send_id: sender.into(),
        recv_id: if sender == "alice" { "bob" } else { "alice" }.into(),
        client_msg_id: id.into(),
        server_msg_id: format!("server-{id}"),
        session_type: session::SINGLE,
        content_type: content_type::TEXT,
        content: format!(r#"{{"content":"{id}"}}"#).into_bytes(),
        seq,
        send_time: 1_000 + seq,
        ..MsgData::default()
    }
}

fn arrive(messages: Vec<MsgData>) -> Arrival {
    Arrival { conversation_id: ID.into(), messages, answered: Vec::new(), delivery: Delivery::Announce }
}

fn names(outcome: &Outcome) -> Vec<&'static str> {
    outcome.events.iter().map(|change| change.event.name()).collect()
}

fn unread(connection: &Connection) -> i64 {
    conversations::find(connection, ID).unwrap().unwrap().unread_count
}

/// An own message that waits for its answer.
fn pending(connection: &Connection, id: &str) -> i64 {
    let conversation = match conversations::find(connection, ID).unwrap() {
        Some(row) => row,
        None => conversations::create(connection, ID, session::SINGLE, "bob").unwrap(),
    };
    let position = conversation.local_max_seq;
    let row = MessageRow {
        position,
        place: messages::next_place(connection).unwrap(),
        status: 1,
        ..inbound::message_row(conversation.id, text("alice", 0, id), "alice")
    };
    let message = messages::insert(connection, &row).unwrap().unwrap();
    outbox::insert(connection, OutboxRow { message, conversation: conversation.id, attempt: 1, created_at: 0 }, b"x")
        .unwrap();
    message
}

#[test]
fn a_first_message_announces_itself_then_its_conversation() {
    let db = database();
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1")])));
    assert_eq!(names(&outcome), ["OnRecvNewMessages", "OnNewConversation"]);
    assert_eq!(outcome.total_unread, Some(1));
    let Some(Event::NewConversation(rows)) = outcome.events.last().map(|change| &change.event) else { panic!() };
    assert_eq!((rows[0].unread_count, rows[0].latest_msg.as_ref().unwrap().seq), (1, 1));
}

#[test]
fn the_same_message_again_changes_nothing_and_fires_nothing() {
    let db = database();
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1")])));
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1")])));
    assert!(outcome.events.is_empty() && outcome.total_unread.is_none());
}

#[test]
fn after_a_reset_old_messages_stay_in_order_and_take_their_new_seqs() {
    let db = database();
    let old = ["m1", "m2", "m3"].iter().zip(1..).map(|(id, seq)| text("bob", seq, id)).collect();
    apply(&db, |changes| inbound::apply(changes, arrive(old)));
    pending(&db, "mine");
    let id = conversations::find(&db, ID).unwrap().unwrap().id;
    let forgotten = reset::Forgotten { chats: vec![id], ..reset::Forgotten::default() };
    apply(&db, |changes| reset::forget(changes.connection, &forgotten));
    let outcome =
        apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "new"), text("bob", 2, "m2")])));
    assert_eq!(names(&outcome)[0], "OnRecvNewMessages");
    let page = messages::older(&db, id, (i64::MAX, 0), 0, 10).unwrap();
    let page: Vec<_> = page.iter().rev().map(|row| (row.client_msg_id.as_str(), row.seq())).collect();
    assert_eq!(page, [("m1", 0), ("m3", 0), ("mine", 0), ("new", 1), ("m2", 2)]);
    apply(&db, |changes| reset::forget(changes.connection, &forgotten));
    let page = messages::older(&db, id, (i64::MAX, 0), 0, 10).unwrap();
    assert!(page.iter().all(|row| row.seq() == 0));
    assert_eq!(page.len(), 5, "a second reset keeps them all");
}

#[test]
fn a_second_seq_of_a_known_message_is_a_hole() {
    let db = database();
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1")])));
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 2, "m1")])));
    assert!(!names(&outcome).contains(&"OnRecvNewMessages"));
    assert_eq!(unread(&db), 1);
}

#[test]
fn an_own_message_that_comes_back_is_its_acknowledgement() {
    let db = database();
    let message = pending(&db, "m1");
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("alice", 1, "m1")])));
    assert!(!names(&outcome).contains(&"OnRecvNewMessages"));
    assert_eq!(outcome.arrived[0].message, message);
    let row = messages::get(&db, message).unwrap().unwrap();
    assert_eq!((row.status, row.seq(), row.server_msg_id.as_str()), (2, 1, "server-m1"));
    assert!(outbox::all(&db).unwrap().is_empty());
}

#[test]
fn an_own_push_after_the_acknowledgement_only_adds_the_seq() {
    let db = database();
    let message = pending(&db, "m1");
    apply(&db, |changes| {
        messages::acknowledge(changes.connection, message, "server-m1", 1_001)?;
        outbox::remove(changes.connection, message)?;
        let before = conversations::find(changes.connection, ID)?.unwrap();
        changes.settle(&before, before.clone(), true)
    });
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("alice", 1, "m1")])));
    assert!(outcome.events.is_empty(), "{:?}", names(&outcome));
    assert_eq!(messages::get(&db, message).unwrap().unwrap().seq(), 1);
}

#[test]
fn a_message_of_another_own_device_is_new_but_not_unread() {
    let db = database();
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("alice", 1, "m1")])));
    assert_eq!(names(&outcome), ["OnRecvNewMessages", "OnNewConversation"]);
    assert_eq!(unread(&db), 0);
}

#[test]
fn an_unsent_message_stays_behind_the_one_that_was_made_before_it() {
    let db = database();
    let (elder, younger) = (pending(&db, "m1"), pending(&db, "m2"));
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("alice", 1, "m1")])));
    let row = conversations::find(&db, ID).unwrap().unwrap();
    assert_eq!(row.latest_message, younger);
    let order: Vec<i64> =
        messages::older(&db, row.id, (i64::MAX, 0), 0, 9).unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(order, [younger, elder]);
}

#[test]
fn a_receipt_in_the_batch_of_the_push_finds_the_message() {
    let db = database();
    pending(&db, "m1");
    let outcome = apply(&db, |changes| {
        inbound::apply(changes, arrive(vec![text("alice", 1, "m1")]))?;
        notifications::apply(changes, STREAM, &receipt("bob", 1, vec![1], 1))
    });
    assert!(names(&outcome).contains(&"OnRecvC2CReadReceipt"), "{:?}", names(&outcome));
}

#[test]
fn sending_does_not_read_what_came_before() {
    let db = database();
    let messages = vec![text("bob", 1, "m1"), text("alice", 2, "m2"), text("bob", 3, "m3")];
    apply(&db, |changes| inbound::apply(changes, arrive(messages)));
    assert_eq!(unread(&db), 2);
}

#[test]
fn messages_without_a_seq_are_told_and_not_stored() {
    let db = database();
    let mut message = text("bob", 0, "m1");
    message.options = options::online_only();
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![message])));
    assert_eq!(names(&outcome), ["OnRecvOnlineOnlyMessages"]);
    assert!(conversations::find(&db, ID).unwrap().is_none());
}

#[test]
fn unreadable_content_is_kept_as_it_came() {
    let db = database();
    let mut message = text("bob", 1, "m1");
    message.content = b"{not json".to_vec();
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![message])));
    let Some(Event::RecvNewMessages(list)) = outcome.events.first().map(|change| &change.event) else { panic!() };
    assert_eq!(list[0].body, crate::model::Body::Content("{not json".into()));
}

#[test]
fn a_push_after_a_gap_is_delivered_and_the_gap_fetched_now() {
    let db = database();
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1")])));
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 5, "m5")])));
    assert!(outcome.follow_up.gaps);
    assert_eq!(seqs::live_gaps(&db, 9).unwrap(), [(ID.to_owned(), (2, 4))]);
    assert_eq!(unread(&db), 5);
    // the server has 2 and 4; 3 does not exist
    let mut answer = arrive(vec![text("bob", 4, "m4"), text("bob", 2, "m2")]);
    answer.answered = vec![(2, 4)];
    apply(&db, |changes| inbound::apply(changes, answer));
    assert!(seqs::live_gaps(&db, 9).unwrap().is_empty());
    assert_eq!(unread(&db), 4);
}

#[test]
fn seqs_that_cannot_be_are_passed_over_and_a_leap_is_asked_about_instead_of_fetched() {
    let connection = database();
    apply(&connection, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "one")])));
    for seq in [-1, i64::MIN, i64::MAX, 1 << 53] {
        let lie = MsgData { seq, ..text("bob", 1, "lie") };
        let outcome = apply(&connection, |changes| inbound::apply(changes, arrive(vec![lie])));
        assert_eq!(names(&outcome), [""; 0], "{seq}");
        assert_eq!(unread(&connection), 1);
    }
    let leap = (1 << 53) - 1;
    let outcome = apply(&connection, |changes| inbound::apply(changes, arrive(vec![text("bob", leap, "leap")])));
    assert!(outcome.follow_up.comparison && !outcome.follow_up.gaps, "{:?}", outcome.follow_up);
    assert_eq!(seqs::live_gaps(&connection, 10).unwrap(), []);
    assert_eq!(unread(&connection), i64::from(i32::MAX));
    let outcome = apply(&connection, |changes| inbound::apply(changes, arrive(vec![text("bob", 2, "two")])));
    assert_eq!(names(&outcome).first(), Some(&"OnRecvNewMessages"), "the true ones still come");
}

#[test]
fn a_gap_that_pushes_left_is_announced_even_if_the_history_fills_it() {
    let db = database();
    let history = |messages, range| Arrival { answered: vec![range], delivery: Delivery::Silent, ..arrive(messages) };
    apply(&db, |changes| inbound::apply(changes, history(vec![text("bob", 5, "m5")], (5, 5))));
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 8, "m8")])));
    let page = vec![text("bob", 4, "m4"), text("bob", 6, "m6")];
    let outcome = apply(&db, |changes| inbound::apply(changes, history(page, (3, 7))));
    let Some(Event::RecvNewMessages(list)) = outcome.events.first().map(|change| &change.event) else {
        panic!("{:?}", names(&outcome))
    };
    assert_eq!(list.iter().map(|message| message.seq).collect::<Vec<_>>(), [6]);
    assert!(seqs::live_gaps(&db, 9).unwrap().is_empty());
}

#[test]
fn what_is_pushed_during_the_first_sync_is_stored_and_no_news() {
    let db = database();
    let mut unstored = text("bob", 0, "typed");
    unstored.options = options::online_only();
    let outcome = apply(&db, |changes| {
        changes.quiet();
        inbound::apply(changes, arrive(vec![text("bob", 7, "m7"), unstored]))
    });
    assert_eq!(names(&outcome), ["OnRecvOnlineOnlyMessages"]);
    assert!(!outcome.follow_up.gaps, "what lies before it comes with the history");
    let row = conversations::find(&db, ID).unwrap().unwrap();
    assert_eq!(seqs::gaps(&db, row.id).unwrap(), [((1, 6), false)]);
    assert_eq!(unread(&db), 7);
}

fn receipt(reader: &str, seq: i64, seqs: Vec<i64>, has_read_seq: i64) -> MsgData {
    let tips = MarkAsReadTips { mark_as_read_user_id: reader.into(), conversation_id: ID.into(), seqs, has_read_seq };
    let elem = NotificationElem { detail: serde_json::to_string(&tips).unwrap() };
    MsgData {
        content_type: content_type::READ_RECEIPT,
        content: serde_json::to_vec(&elem).unwrap(),
        seq,
        send_time: 9_000,
        session_type: session::SINGLE,
        ..MsgData::default()
    }
}

#[test]
fn a_receipt_of_the_peer_marks_own_messages_once() {
    let db = database();
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("alice", 1, "m1"), text("bob", 2, "m2")])));
    let notification = receipt("bob", 1, vec![1, 2], 2);
    let outcome = apply(&db, |changes| notifications::apply(changes, STREAM, &notification));
    let Some(Event::RecvC2CReadReceipt(list)) = outcome.events.first().map(|change| &change.event) else {
        panic!("{:?}", names(&outcome))
    };
    assert_eq!(list[0].msg_id_list, ["m1"]);
    assert_eq!(seqs::cursor(&db, STREAM).unwrap(), Some(1));
    let again = apply(&db, |changes| notifications::apply(changes, STREAM, &notification));
    assert!(again.events.is_empty());
}

#[test]
fn a_receipt_that_overtakes_the_message_waits_for_it() {
    let db = database();
    let message = pending(&db, "m2");
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1"), text("bob", 3, "m3")])));
    let notification = receipt("bob", 1, vec![1, 2, 4], 4);
    let outcome = apply(&db, |changes| notifications::apply(changes, STREAM, &notification));
    assert!(outcome.events.is_empty(), "{:?}", names(&outcome));
    let own = vec![text("alice", 2, "m2"), text("alice", 4, "m4")];
    let outcome = apply(&db, |changes| inbound::apply(changes, arrive(own)));
    let Some(Event::RecvC2CReadReceipt(list)) = outcome.events.first().map(|change| &change.event) else {
        panic!("{:?}", names(&outcome))
    };
    assert_eq!(list.iter().map(|receipt| receipt.msg_id_list.concat()).collect::<Vec<_>>(), ["m2", "m4"]);
    assert!(messages::get(&db, message).unwrap().unwrap().is_read);
    let again = apply(&db, |changes| notifications::apply(changes, STREAM, &receipt("bob", 2, vec![2, 4], 4)));
    assert!(again.events.is_empty());
}

#[test]
fn a_receipt_of_another_own_device_is_not_lost_on_one_that_does_not_know_the_conversation_yet() {
    let db = database();
    let notification = MsgData { send_id: "alice".into(), recv_id: "bob".into(), ..receipt("alice", 1, vec![1], 1) };
    let outcome = apply(&db, |changes| notifications::apply(changes, STREAM, &notification));
    assert!(outcome.events.is_empty(), "{:?}", names(&outcome));
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1"), text("bob", 2, "m2")])));
    assert_eq!(unread(&db), 1);
    let elsewhere = MsgData { send_id: "alice".into(), recv_id: "carol".into(), ..receipt("alice", 2, vec![1], 1) };
    let other = database();
    apply(&other, |changes| notifications::apply(changes, STREAM, &elsewhere));
    assert_eq!(conversations::find(&other, ID).unwrap(), None, "these tips speak of another chat");
}

#[test]
fn a_receipt_of_another_own_device_moves_the_cursor() {
    let db = database();
    apply(&db, |changes| inbound::apply(changes, arrive(vec![text("bob", 1, "m1"), text("bob", 2, "m2")])));
    let outcome = apply(&db, |changes| notifications::apply(changes, STREAM, &receipt("alice", 0, vec![], 2)));
    assert_eq!(names(&outcome), ["OnConversationChanged"]);
    assert_eq!((outcome.total_unread, unread(&db)), (Some(0), 0));
}

#[test]
fn a_gap_in_a_stream_leaves_the_cursor_and_asks_for_the_stream() {
    let db = database();
    let outcome = apply(&db, |changes| notifications::apply(changes, STREAM, &receipt("bob", 3, vec![], 0)));
    assert!(outcome.follow_up.streams);
    assert_eq!(seqs::cursor(&db, STREAM).unwrap(), None);
}

/// The server of the property test: who sent which seq; a missing one does not exist.
type Server = BTreeMap<i64, bool>;

fn message_of(server: &Server, seq: i64) -> Option<MsgData> {
    server.get(&seq).map(|own| text(if *own { "alice" } else { "bob" }, seq, &format!("m{seq}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Pushes get lost, doubled and reordered; pulls answer ranges. Once every gap is answered the rows are the
    /// server's, each was announced once, and unread is what the model counts.
    #[test]
    fn any_order_of_pushes_and_pulls_ends_at_the_servers_state(
        kinds in prop::collection::vec(prop::option::weighted(0.8, any::<bool>()), 1..40),
        steps in prop::collection::vec((0_usize..40, 0_usize..6, any::<bool>()), 0..60),
    ) {
        let server: Server =
            kinds.iter().zip(1_i64..).filter_map(|(kind, seq)| kind.map(|own| (seq, own))).collect();
        let newest = kinds.len() as i64;
        let db = database();
        conversations::create(&db, ID, session::SINGLE, "bob").unwrap();
        let mut announced: Vec<String> = Vec::new();
        let mut run = |arrival: Arrival| {
            let outcome = apply(&db, |changes| inbound::apply(changes, arrival));
            for change in &outcome.events {
                if let Event::RecvNewMessages(list) = &change.event {
                    announced.extend(list.iter().map(|message| message.client_msg_id.clone()));
                }
            }
        };
        for (at, length, push) in steps {
            let begin = at as i64 % newest + 1;
            let end = (begin + length as i64).min(newest);
            let messages = (begin..=end).rev().filter_map(|seq| message_of(&server, seq)).collect();
            let answered = if push { Vec::new() } else { vec![(begin, end)] };
            run(Arrival { answered, ..arrive(messages) });
        }
        run(Arrival { answered: vec![(newest, newest)], ..arrive(message_of(&server, newest).into_iter().collect()) });
        let row = conversations::find(&db, ID).unwrap().unwrap();
        for ((begin, end), _) in seqs::gaps(&db, row.id).unwrap() {
            let messages = (begin..=end).filter_map(|seq| message_of(&server, seq)).collect();
            run(Arrival { answered: vec![(begin, end)], ..arrive(messages) });
        }
        let row = conversations::find(&db, ID).unwrap().unwrap();
        prop_assert!(seqs::gaps(&db, row.id).unwrap().is_empty());
        let stored: BTreeSet<i64> = messages::seqs_within(&db, row.id, 1, newest).unwrap().into_iter().collect();
        prop_assert_eq!(&stored, &server.keys().copied().collect());
        let once: BTreeSet<String> = announced.iter().cloned().collect();
        prop_assert_eq!(once.len(), announced.len());
        prop_assert_eq!(once.len(), server.len());
        let expected = server.values().filter(|own| !**own).count();
        prop_assert_eq!(row.unread_count, expected as i64);
        let newest_row = messages::get(&db, row.latest_message).unwrap();
        prop_assert_eq!(newest_row.map(|row| row.seq()), server.keys().last().copied());
    }
}
