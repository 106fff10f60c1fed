//! Applications, and the friend list against a model of the server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::change::Notification;
use crate::sync::notifications;
use crate::sync::versions::{Step, Version, step};

fn made(create_time: i64, handle_result: i32) -> FriendApplication {
    FriendApplication { create_time, handle_result, ..FriendApplication::default() }
}

#[test]
fn what_is_new_about_an_application() {
    for (before, after, expected) in [
        (None, made(5, 0), Some(Told::Added)),
        (None, made(5, 1), Some(Told::Accepted)),
        (None, made(5, -1), Some(Told::Rejected)),
        (None, made(3, 0), None),
        (Some(made(5, 0)), made(5, 0), None),
        (Some(made(5, 0)), made(5, 1), Some(Told::Accepted)),
        (Some(made(5, 0)), made(5, -1), Some(Told::Rejected)),
        (Some(made(5, -1)), made(6, 0), Some(Told::Added)),
        (Some(made(5, 0)), made(6, 0), Some(Told::Added)),
    ] {
        assert_eq!(news(before.as_ref(), &after, 4), expected, "{before:?} -> {after:?}");
    }
}

#[test]
fn what_is_known_better_stays() {
    assert!(is_stale(&made(5, 1), &made(5, 0)), "a late notification of the application");
    assert!(is_stale(&made(6, 0), &made(5, -1)), "an answer to the one before");
    assert!(!is_stale(&made(5, 0), &made(5, 1)));
    assert!(!is_stale(&made(5, -1), &made(6, 0)));
}

#[test]
fn seconds_become_milliseconds() {
    assert_eq!(millis(1_700_000_000), 1_700_000_000_000);
    assert_eq!(millis(1_700_000_000_123), 1_700_000_000_123);
    assert_eq!(millis(0), 0);
}

/// The server's friend list with its log (http.md 3.2), written from the specification alone.
#[derive(Default)]
struct Server {
    friends: Vec<FriendInfo>,
    id: u64,
    version: u64,
    log: Vec<(String, u64, bool)>,
    sorted_at: u64,
    clock: i64,
}

/// What may happen at the server.
#[derive(Debug, Clone)]
enum Deed {
    Befriend(u8),
    Delete(u8),
    Rename(u8, u8),
    Pin(u8, bool),
    /// The log is lost: it begins again under another id.
    LoseLog,
}

/// What a sync is interrupted by.
#[derive(Debug, Clone)]
enum Sync {
    Whole,
    /// The process dies before anything is stored.
    Dies,
}

#[derive(Debug, Clone)]
enum Act {
    Deed(Deed),
    /// A sync with what happens at the server between its requests.
    Sync(Sync, Vec<Deed>),
}

fn friend(n: u8, name: u8, create_time: i64) -> FriendInfo {
    let user = UserInfo { user_id: format!("u{n}"), nickname: format!("name{name}"), ..UserInfo::default() };
    FriendInfo { friend_user: Some(user), create_time, ..FriendInfo::default() }
}

impl Server {
    fn log(&mut self, id: String, deleted: bool) {
        self.log.retain(|(known, ..)| *known != id);
        self.log.push((id, self.version, deleted));
    }

    fn sort(&mut self) {
        self.friends.sort_by_key(|friend| (!friend.is_pinned, friend.create_time));
    }

    fn does(&mut self, deed: &Deed) {
        self.clock += 1;
        let (n, at) = match deed {
            Deed::LoseLog => {
                (self.id, self.version, self.log, self.sorted_at) = (self.id + 1, 1, Vec::new(), 0);
                return;
            }
            Deed::Befriend(n) | Deed::Delete(n) | Deed::Rename(n, _) | Deed::Pin(n, _) => {
                let id = format!("u{n}");
                (n, self.friends.iter().position(|friend| friend_id(friend) == Some(id.as_str())))
            }
        };
        match (deed, at) {
            (Deed::Befriend(_), None) => self.friends.push(friend(*n, 0, 1_700_000_000_000 + self.clock)),
            (Deed::Delete(_), Some(at)) => drop(self.friends.remove(at)),
            (Deed::Rename(_, name), Some(at)) => {
                self.friends[at].friend_user.as_mut().unwrap().nickname = format!("name{name}");
            }
            (Deed::Pin(_, pinned), Some(at)) => self.friends[at].is_pinned = *pinned,
            _ => return,
        }
        self.version += 1;
        if matches!(deed, Deed::Pin(..)) {
            self.sorted_at = self.version;
        }
        self.sort();
        self.log(format!("u{n}"), matches!(deed, Deed::Delete(_)));
    }

    fn ids(&self) -> Vec<String> {
        self.friends.iter().filter_map(friend_id).map(str::to_owned).collect()
    }

    fn named(&self, ids: &[String]) -> Vec<FriendInfo> {
        let named = |friend: &&FriendInfo| ids.iter().any(|id| Some(id.as_str()) == friend_id(friend));
        self.friends.iter().filter(named).cloned().collect()
    }

    /// Version, whether it is full, deleted ids, changed ids, sort version.
    fn increment(&self, local: &Version) -> (Version, bool, Vec<String>, Vec<String>, u64) {
        let version = Version { id: format!("log{}", self.id), number: self.version };
        if local.id != version.id || local.number > self.version {
            return (version, true, Vec::new(), Vec::new(), 0);
        }
        let news = self.log.iter().filter(|(_, at, _)| *at > local.number);
        let (deleted, changed): (Vec<_>, Vec<_>) = news.partition(|(.., deleted)| *deleted);
        let ids = |entries: Vec<&(String, u64, bool)>| entries.into_iter().map(|(id, ..)| id.clone()).collect();
        (version, false, ids(deleted), ids(changed), if self.sorted_at > local.number { self.sorted_at } else { 0 })
    }
}

const PAGE: usize = 3;
const ME: &str = "alice";

/// What a listener knows of the friends who heard every event.
type Heard = BTreeMap<String, Friend>;

struct Device {
    db: Connection,
    version: Version,
    heard: Heard,
}

impl Device {
    fn new() -> Self {
        let db = crate::store::in_memory();
        Self { db, version: Version::default(), heard: Heard::new() }
    }

    /// As `friend::sync` does it, with `meanwhile` happening one by one between its requests.
    fn sync(&mut self, server: &mut Server, how: &Sync, meanwhile: &[Deed]) {
        let mut meanwhile = meanwhile.iter();
        let mut happens = |server: &mut Server| {
            if let Some(deed) = meanwhile.next() {
                server.does(deed);
            }
        };
        let (newest, full, deleted, changed, sort_version) = server.increment(&self.version);
        let put = server.named(&changed);
        happens(server);
        let (list, version) = match step(&self.version, &newest, full) {
            Step::Same => return,
            Step::Apply(version) => {
                let order = (sort_version > 0).then(|| server.ids());
                (FriendList { delete: deleted, put, whole: false, order }, version)
            }
            Step::Full(version) => {
                let mut pages = Vec::new();
                for page in 0.. {
                    let part: Vec<_> = server.friends.iter().skip(page * PAGE).take(PAGE).cloned().collect();
                    let last = part.len() < PAGE;
                    pages.extend(part);
                    happens(server);
                    if last {
                        break;
                    }
                }
                let ids = server.ids();
                happens(server);
                let missing = server.named(&missing(&pages, &ids));
                (FriendList::whole(pages, missing, ids), version)
            }
        };
        if matches!(how, Sync::Dies) {
            return;
        }
        let mut changes = Changes::new(&self.db, ME);
        friend_list(&mut changes, list, 1).unwrap();
        for change in changes.finish().unwrap().events {
            match change.event {
                Event::FriendAdded(friend) => assert!(self.heard.insert(friend.user_id.clone(), friend).is_none()),
                Event::FriendInfoChanged(friend) => {
                    assert_ne!(self.heard.insert(friend.user_id.clone(), friend.clone()), Some(friend));
                }
                Event::FriendDeleted(friend) => assert_eq!(self.heard.remove(&friend.user_id), Some(friend)),
                other => panic!("{other:?}"),
            }
        }
        self.version = version;
    }

    fn list(&self) -> Vec<Friend> {
        friends::page(&self.db, 0, -1, false, ME).unwrap()
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0_u8..9).prop_map(Deed::Befriend),
        3 => (0_u8..9).prop_map(Deed::Delete),
        2 => (0_u8..9, 0_u8..3).prop_map(|(n, name)| Deed::Rename(n, name)),
        2 => (0_u8..9, any::<bool>()).prop_map(|(n, pinned)| Deed::Pin(n, pinned)),
        1 => Just(Deed::LoseLog),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let sync = prop_oneof![4 => Just(Sync::Whole), 1 => Just(Sync::Dies)];
    prop_oneof![
        3 => deed().prop_map(Act::Deed),
        2 => (sync, proptest::collection::vec(deed(), 0..4)).prop_map(|(how, meanwhile)| Act::Sync(how, meanwhile)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_at_the_server_the_list_is_the_servers_at_rest_and_events_are_the_difference(
        acts in proptest::collection::vec(act(), 0..40),
    ) {
        let mut server = Server { version: 1, ..Server::default() };
        let mut device = Device::new();
        for act in &acts {
            match act {
                Act::Deed(deed) => server.does(deed),
                Act::Sync(how, meanwhile) => device.sync(&mut server, how, meanwhile),
            }
        }
        device.sync(&mut server, &Sync::Whole, &[]);
        let list = device.list();
        let expected: Vec<_> = server
            .friends
            .iter()
            .map(|friend| {
                let user = friend.friend_user.clone().unwrap();
                (user.user_id, user.nickname, friend.is_pinned)
            })
            .collect();
        let here: Vec<_> =
            list.iter().map(|friend| (friend.user_id.clone(), friend.nickname.clone(), friend.is_pinned)).collect();
        prop_assert_eq!(here, expected);
        let known: Heard = list.into_iter().map(|friend| (friend.user_id.clone(), friend)).collect();
        prop_assert_eq!(&device.heard, &known);
    }
}

#[test]
fn beginnings_of_one_second_and_a_friendship_that_began_again_leave_the_order_open() {
    let known = BTreeSet::from(["u1".to_owned()]);
    let (one, two, three) = (friend(1, 0, 100), friend(2, 0, 200), friend(3, 0, 200));
    for (put, inserted, unclear) in [
        (vec![], 0, false),
        (vec![two.clone()], 1, false),
        (vec![two.clone(), three.clone()], 2, true),
        (vec![three.clone(), two.clone()], 1, true),
        (vec![friend(4, 0, 201), two.clone()], 2, false),
        (vec![one.clone()], 1, true),
        (vec![two, one.clone()], 1, false),
        (vec![friend(1, 0, 200), three], 0, false),
    ] {
        assert_eq!(order_is_unclear(&put, inserted, &known), unclear, "{put:?} {inserted}");
    }
}

/// A notification as the server sends it.
fn notification(content_type: i32, id: &str, seq: i64, tips: &str) -> MsgData {
    MsgData {
        content_type,
        seq,
        send_id: "imAdmin".to_owned(),
        client_msg_id: id.to_owned(),
        content: serde_json::to_vec(&serde_json::json!({ "detail": tips })).unwrap(),
        ..MsgData::default()
    }
}

/// What a follower is told of a job: which notifications, and of which events their fields and sources.
type Story = (Vec<Arc<Notification>>, Vec<(String, Vec<String>, Option<String>)>);

fn followed(db: &Connection, sources: &[Arc<Notification>], job: impl FnOnce(&mut Changes<'_>)) -> Story {
    let mut changes = Changes::new(db, ME);
    changes.followed = true;
    changes.sources = sources.to_vec();
    job(&mut changes);
    let outcome = changes.finish().unwrap();
    let told = outcome.events.into_iter().map(|change| {
        (change.event.name().to_owned(), change.fields, change.source.map(|source| source.client_msg_id.clone()))
    });
    (outcome.notifications, told.collect())
}

#[test]
fn a_follower_hears_which_notification_a_change_comes_from_and_what_differs() {
    let db = Device::new().db;
    let (notifications, told) = followed(&db, &[], |changes| {
        let request = r#"{"fromUserID":"u1","toUserID":"alice","handleResult":0,"createTime":5}"#;
        let tips = format!(r#"{{"fromToUserID":{{"fromUserID":"u1","toUserID":"me"}},"request":{request}}}"#);
        let message = notification(content_type::FRIEND_APPLICATION, "n1", 0, &tips);
        notifications::apply(changes, "n_me_u1", &message).unwrap();
    });
    assert_eq!(told, [("OnFriendApplicationAdded".to_owned(), vec![], Some("n1".to_owned()))]);
    let [applied] = notifications.as_slice() else { panic!("{notifications:?}") };
    assert_eq!((applied.stream.as_str(), applied.operator.as_str()), ("n_me_u1", "imAdmin"));

    let update = |n: &str, ids: &str| {
        let (found, _) = followed(&db, &[], |changes| {
            let tips = format!(
                r#"{{"fromToUserID":{{"fromUserID":"me","toUserID":"me"}},"friendIDs":{ids},"opUser":{{"userID":"boss"}}}}"#
            );
            let message = notification(content_type::FRIENDS_INFO_UPDATE, n, 7, &tips);
            notifications::note(changes, "n_me_me", &message);
            notifications::note(changes, "si_me_me", &message);
        });
        assert_eq!(found.len(), 1, "a copy is the same notification");
        found.into_iter().next().unwrap()
    };
    let list = |pinned: bool, remark: &str| FriendList {
        delete: Vec::new(),
        put: vec![
            FriendInfo { is_pinned: pinned, remark: remark.to_owned(), ..friend(1, 0, 5) },
            friend(2, u8::from(pinned), 6),
        ],
        whole: false,
        order: None,
    };
    let sources = [update("n2", r#"["u1"]"#), update("n3", r#"["u3"]"#)];
    assert_eq!((sources[0].operator.as_str(), sources[0].seq), ("boss", 7));
    let (_, told) = followed(&db, &[], |changes| friend_list(changes, list(false, ""), 1).unwrap());
    assert_eq!(told.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["OnFriendAdded", "OnFriendAdded"]);
    let (_, told) = followed(&db, &sources, |changes| friend_list(changes, list(true, "Uno"), 2).unwrap());
    let changed = "OnFriendInfoChanged".to_owned();
    assert_eq!(
        told,
        [
            (changed.clone(), vec!["isPinned".to_owned(), "remark".to_owned()], Some("n2".to_owned())),
            (changed, vec!["nickname".to_owned()], None),
        ]
    );
}
