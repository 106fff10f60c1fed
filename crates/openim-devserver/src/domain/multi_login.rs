//! Which older logins a new one ends (gateway.md 9.2), in two stages: issuing a token marks older tokens, and opening a
//! connection closes older ones. Pure functions; `token.rs` and `online.rs` carry out what they say.

use std::collections::BTreeMap;

use openim_proto::constants::platform;

use super::token::NORMAL;
use crate::config::MultiLogin;

/// Tokens of a user per platform, oldest first, with their state.
pub(super) type Tokens = BTreeMap<i32, Vec<(String, i32)>>;

/// Platforms that share one login under policies 4 and 5 (gateway.md 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Mobile,
    Pc,
    Pad,
    /// Web, MiniWeb, Admin and HarmonyOS are classes of one platform each.
    Alone(i32),
}

impl Class {
    fn of(platform_id: i32) -> Self {
        match platform_id {
            platform::IOS | platform::ANDROID => Self::Mobile,
            platform::WINDOWS | platform::OSX | platform::LINUX => Self::Pc,
            platform::ANDROID_PAD | platform::IPAD => Self::Pad,
            other => Self::Alone(other),
        }
    }
}

/// Stage A: the tokens that end when a new one is issued for a platform.
pub(super) fn ended_by_token(multi_login: MultiLogin, tokens: &Tokens, platform_id: i32) -> Vec<(i32, String)> {
    let class = Class::of(platform_id);
    let keeper = |among: &dyn Fn(Class) -> bool, first: Option<i32>| {
        let has_login = |candidate: i32| tokens.get(&candidate).is_some_and(|list| normal(list).next().is_some());
        let candidates = first.into_iter().chain(tokens.keys().copied().filter(|it| among(Class::of(*it))));
        candidates.into_iter().find(|candidate| has_login(*candidate))
    };
    let mut ended = Vec::new();
    for (platform, list) in tokens {
        let own = Class::of(*platform);
        let kept = match multi_login.policy {
            0 if *platform == platform_id => multi_login.max_num_one_end.saturating_sub(1),
            0 => multi_login.max_num_one_end,
            1 => usize::from(*platform != platform_id),
            4 if own == class => 0,
            4 => usize::from(keeper(&|it| it == own, None) == Some(*platform)),
            // policy 5: the PC class is unlimited, all others together have one login
            _ if own == Class::Pc => usize::MAX,
            _ if class == Class::Pc => {
                usize::from(keeper(&|it| it != Class::Pc, Some(platform::ANDROID)) == Some(*platform))
            }
            _ => 0,
        };
        let excess = normal(list).count().saturating_sub(kept);
        ended.extend(normal(list).take(excess).map(|token| (*platform, token.clone())));
    }
    ended
}

/// Stage B: whether a new connection closes an older one of the same user; each is a platform and a token.
pub(super) fn closes(policy: u8, new: (i32, &str), old: (i32, &str)) -> bool {
    let (new_class, old_class) = (Class::of(new.0), Class::of(old.0));
    let collide = match policy {
        0 => false,
        1 => new.0 == old.0,
        4 => new_class == old_class,
        _ => new_class != Class::Pc && old_class != Class::Pc,
    };
    // who connects twice with one token is one login
    collide && new.1 != old.1
}

/// Stage B: the tokens that end when a user who is connected already opens one more connection; `closed` are the
/// connections that it closes.
pub(super) fn ended_by_connection(
    policy: u8,
    tokens: &Tokens,
    new: (i32, &str),
    closed: &[(i32, &str)],
) -> Vec<(i32, String)> {
    match policy {
        0 => Vec::new(),
        4 => closed.iter().map(|(platform, token)| (*platform, (*token).to_owned())).collect(),
        5 if Class::of(new.0) == Class::Pc => Vec::new(),
        _ => {
            let others = tokens.get(&new.0).into_iter().flat_map(|list| normal(list)).filter(|token| *token != new.1);
            others.map(|token| (new.0, token.clone())).collect()
        }
    }
}

fn normal(list: &[(String, i32)]) -> impl Iterator<Item = &String> {
    list.iter().filter(|(_, state)| *state == NORMAL).map(|(token, _)| token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::token::KICKED;
    use super::*;

    fn tokens(list: &[(i32, &[&str])]) -> Tokens {
        let of = |names: &[&str]| {
            let mut all = vec![("gone".to_owned(), KICKED)];
            all.extend(names.iter().map(|name| ((*name).to_owned(), NORMAL)));
            all
        };
        list.iter().map(|(platform, names)| (*platform, of(names))).collect()
    }

    fn ended(policy: u8, tokens: &Tokens, platform_id: i32) -> String {
        let multi_login = MultiLogin { policy, max_num_one_end: 3 };
        let names: Vec<_> = ended_by_token(multi_login, tokens, platform_id).into_iter().map(|(_, it)| it).collect();
        names.join(" ")
    }

    #[test]
    fn a_new_token_ends_what_its_policy_says() {
        let held = tokens(&[
            (1, &["ios"]),
            (2, &["droid1", "droid2"]),
            (3, &["win1", "win2"]),
            (5, &["web1", "web2", "web3"]),
            (7, &["lin"]),
            (9, &["pad"]),
        ]);
        for (policy, platform, expected) in [
            (0, 5, "web1"),
            (0, 7, ""),
            (1, 5, "droid1 win1 web1 web2 web3"),
            (1, 7, "droid1 win1 web1 web2 lin"),
            // class mates all, and one login per other class
            (4, 4, "droid1 droid2 win1 win2 web1 web2 lin"),
            (4, 1, "ios droid1 droid2 win1 web1 web2 lin"),
            (5, 5, "ios droid1 droid2 web1 web2 web3 pad"),
            (5, 7, "ios droid1 web1 web2 web3 pad"),
        ] {
            assert_eq!(ended(policy, &held, platform), expected, "policy {policy}, platform {platform}");
        }
        let without_android = tokens(&[(1, &["ios"]), (2, &[]), (5, &["web"])]);
        assert_eq!(ended(5, &without_android, 3), "web");
        assert_eq!(ended(4, &tokens(&[(99, &["odd"]), (0, &["none"])]), 99), "odd", "unknown platforms stand alone");
    }

    #[test]
    fn a_new_connection_closes_what_its_policy_says_and_never_its_twin() {
        for (policy, new, closed) in [
            (0, 5, vec![]),
            (1, 5, vec![5]),
            (4, 7, vec![3, 7]),
            (4, 2, vec![1]),
            (4, 11, vec![11]),
            (5, 3, vec![]),
            (5, 5, vec![1, 5, 8, 11]),
        ] {
            let old = [1, 3, 5, 7, 8, 11];
            let found: Vec<_> = old.into_iter().filter(|old| closes(policy, (new, "new"), (*old, "old"))).collect();
            assert_eq!(found, closed, "policy {policy}, platform {new}");
            assert!(old.into_iter().all(|old| !closes(policy, (new, "same"), (old, "same"))));
        }
    }

    #[test]
    fn a_new_connection_ends_tokens() {
        let held = tokens(&[(2, &["droid"]), (5, &["web1", "new"]), (7, &["lin1", "new"])]);
        let ended = |policy, platform, closed: &[(i32, &str)]| {
            let ended = ended_by_connection(policy, &held, (platform, "new"), closed);
            ended.into_iter().map(|(_, token)| token).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ended(0, 5, &[(5, "web1")]), "");
        assert_eq!(ended(1, 5, &[]), "web1");
        assert_eq!(ended(4, 5, &[(2, "droid")]), "droid");
        assert_eq!(ended(5, 5, &[(2, "droid")]), "web1");
        assert_eq!(ended(5, 7, &[]), "");
    }
}
