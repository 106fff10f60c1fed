//! Whatever happens to a friend list, a client that follows the increments has it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use openim_proto::sdkws::{FriendInfo, UserInfo};
use proptest::prelude::*;

use super::version_log::Log;
use super::{Caller, Domain, FriendChange, ProfileChange, Verdict, World};
use crate::config::Config;
use crate::environment::Environment;

const OWNER: &str = "alice";
const OTHERS: [&str; 5] = ["bob", "carol", "dave", "erin", "frank"];

#[derive(Debug, Clone)]
enum Step {
    Befriend(usize),
    Import(BTreeSet<usize>),
    Delete(usize),
    /// The other one removes the owner.
    BeDeleted(usize),
    Remark(usize, u8),
    Update(BTreeSet<usize>, Option<bool>, Option<u8>),
    Rename(usize, u8),
}

/// The list in the plainest form: id, remark, pinned, in the order of insertion.
type Model = Vec<(&'static str, String, bool)>;

/// What a client knows after it read the list.
struct Client {
    version_id: String,
    version: u64,
    friends: BTreeMap<String, FriendInfo>,
    order: Vec<String>,
    /// Somebody left since and may have come again, at another place.
    moved: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..OTHERS.len();
    let some = prop::collection::btree_set(0..OTHERS.len(), 1..4);
    prop_oneof![
        3 => who.clone().prop_map(Step::Befriend),
        1 => some.clone().prop_map(Step::Import),
        2 => who.clone().prop_map(Step::Delete),
        1 => who.clone().prop_map(Step::BeDeleted),
        1 => (who.clone(), any::<u8>()).prop_map(|(who, remark)| Step::Remark(who, remark)),
        2 => (some, any::<Option<bool>>(), any::<Option<u8>>()).prop_map(|(who, pin, ex)| Step::Update(who, pin, ex)),
        2 => (who, any::<u8>()).prop_map(|(who, name)| Step::Rename(who, name)),
    ]
}

fn names(who: &BTreeSet<usize>) -> Vec<String> {
    who.iter().map(|index| OTHERS[*index].to_owned()).collect()
}

fn append(model: &mut Model, friend: &'static str) {
    if !model.iter().any(|(id, ..)| *id == friend) {
        model.push((friend, String::new(), false));
    }
}

/// Does it to the server and to the model.
fn take(step: &Step, world: &mut World, model: &mut Model, clients: &mut [Client]) {
    let caller = Caller { user_id: "imAdmin".into(), is_admin: true, operation_id: "op".into() };
    match step {
        Step::Befriend(who) => {
            let friend = OTHERS[*who];
            let outcome = world.apply_for_friendship(&caller, friend, OWNER, String::new(), String::new());
            if outcome.is_ok() {
                world.handle_application(&caller, friend, OWNER, Verdict::Agree, "").unwrap();
            }
            append(model, friend);
        }
        Step::Import(who) => {
            world.import_friends(&caller, OWNER, &names(who)).unwrap();
            who.iter().for_each(|index| append(model, OTHERS[*index]));
        }
        Step::Delete(who) => {
            world.delete_friend(&caller, OWNER, OTHERS[*who]).unwrap();
            model.retain(|(id, ..)| *id != OTHERS[*who]);
            clients.iter_mut().for_each(|client| client.moved = true);
        }
        Step::BeDeleted(who) => world.delete_friend(&caller, OTHERS[*who], OWNER).unwrap(),
        Step::Remark(who, remark) => {
            let known = model.iter_mut().find(|(id, ..)| *id == OTHERS[*who]);
            let outcome = world.set_friend_remark(&caller, OWNER, OTHERS[*who], remark.to_string());
            assert_eq!(outcome.is_ok(), known.is_some());
            if let Some((_, known, _)) = known {
                *known = remark.to_string();
            }
        }
        Step::Update(who, is_pinned, ex) => {
            let change = FriendChange { is_pinned: *is_pinned, ex: ex.map(|ex| ex.to_string()), remark: None };
            world.update_friends(&caller, OWNER, &names(who), &change).unwrap();
            for (id, _, pinned) in model.iter_mut() {
                if who.iter().any(|index| OTHERS[*index] == *id) {
                    *pinned = is_pinned.unwrap_or(*pinned);
                }
            }
        }
        Step::Rename(who, name) => {
            let change = ProfileChange { nickname: Some(name.to_string()), ..ProfileChange::default() };
            world.update_user(&caller, OTHERS[*who], change).unwrap();
        }
    }
}

fn read(world: &mut World) -> Client {
    let order = world.friend_ids(OWNER);
    let friends = world.find_friends(OWNER, &order);
    let friends = order.iter().cloned().zip(friends).collect();
    let (version, version_id) = world.version_log(Log::Friends, OWNER).head();
    Client { version_id, version, friends, order, moved: false }
}

/// What the client has once it has applied what changed, with the order if nothing says that this changed otherwise.
fn follow(world: &mut World, client: &Client) -> (BTreeMap<String, FriendInfo>, Option<Vec<String>>) {
    let delta = world.version_log(Log::Friends, OWNER).delta(&client.version_id, client.version);
    assert!(!delta.full);
    let (mut friends, mut order) = (client.friends.clone(), client.order.clone());
    // who came and changed since appears as changed, behind those who came later
    let mixed = delta.update.iter().any(|id| !friends.contains_key(id));
    for id in &delta.delete {
        friends.remove(id);
        order.retain(|known| known != id);
    }
    for ids in [&delta.insert, &delta.update] {
        for info in world.find_friends(OWNER, ids) {
            let id = info.friend_user.as_ref().unwrap().user_id.clone();
            if friends.insert(id.clone(), info).is_none() {
                order.push(id);
            }
        }
    }
    (friends, (delta.sort_version == 0 && !client.moved && !mixed).then_some(order))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_client_that_follows_from_any_version_has_the_list(steps in prop::collection::vec(step(), 1..40)) {
        let now = AtomicI64::new(1_700_000_000_000);
        let chance = AtomicU8::new(0);
        let environment = Environment::new(
            move || now.fetch_add(1, Ordering::Relaxed),
            move |bytes| bytes.fill(chance.fetch_add(1, Ordering::Relaxed)),
        );
        let (domain, _waiting) = Domain::open(Arc::new(Config::default()), environment).unwrap();
        let user = |id: &str| UserInfo { user_id: id.into(), nickname: id.into(), ..UserInfo::default() };
        let mut world = domain.world();
        world.register([&[OWNER][..], &OTHERS[..]].concat().into_iter().map(user).collect()).unwrap();
        let mut clients = vec![read(&mut world)];
        let mut model = Model::new();
        for step in &steps {
            take(step, &mut world, &mut model, &mut clients);
            // the list is that of the model
            let mut expected = model.clone();
            expected.sort_by_key(|(.., pinned)| !pinned);
            let actual: Vec<_> = world.friends(OWNER).into_iter().cloned().collect();
            let actual: Vec<_> =
                actual.iter().map(|it| (it.friend_user_id.as_str(), it.remark.clone(), it.is_pinned)).collect();
            prop_assert_eq!(actual, expected);
            // and everybody who ever read it gets there
            let current = read(&mut world);
            for client in &clients {
                let (friends, order) = follow(&mut world, client);
                prop_assert_eq!(&friends, &current.friends);
                if let Some(order) = order {
                    prop_assert_eq!(&order, &current.order);
                }
            }
            clients.push(current);
        }
        drop(world);
        domain.store.close();
    }
}
