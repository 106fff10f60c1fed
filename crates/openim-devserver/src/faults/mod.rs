//! Faults made on purpose, for tests of clients and applications: one table of levers, which the server asks at a few
//! points. Where no lever is set, asking is reading one number.

mod disturbance;
mod lever;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openim_proto::constants::operation;
use tokio::sync::watch;

use crate::error::Error;

pub use disturbance::{Disturbance, RawFrame};
pub use lever::{Effect, Lever, Point, Scope};

pub(crate) use lever::Event;

/// The levers of a server. Clones share them; they outlive a restart of the server that was given them.
#[derive(Clone)]
pub struct Faults {
    shared: Arc<Shared>,
}

struct Shared {
    /// A bit per point at which a lever is set.
    points: AtomicU32,
    clock_shift_ms: AtomicI64,
    table: Mutex<Table>,
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct Table {
    last_id: u64,
    rules: Vec<Rule>,
    /// How often each lever that was ever set has acted.
    hits: HashMap<u64, u64>,
    /// What levers that reverse hold back.
    held: HashMap<u64, Vec<Release>>,
}

struct Rule {
    id: u64,
    lever: Lever,
    left: Option<u32>,
}

/// Hands over what was held back.
type Release = Box<dyn FnOnce() + Send>;

/// How far a lever is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pending {
    /// Its number.
    pub id: u64,
    /// How often it has acted.
    pub hits: u64,
    /// How often it will act; `None`: until it is cleared.
    pub left: Option<u32>,
}

/// What becomes of something that passes a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    /// What to do.
    pub(crate) effect: Effect,
    /// The lever.
    pub(crate) id: u64,
    /// The lever is used up.
    pub(crate) is_last: bool,
    /// Which of the events are concerned.
    pub(crate) concerned: Vec<bool>,
}

impl Default for Faults {
    fn default() -> Self {
        let shared = Shared {
            points: AtomicU32::new(0),
            clock_shift_ms: AtomicI64::new(0),
            table: Mutex::default(),
            changes: watch::Sender::new(()),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Faults").field(&self.pending()).finish()
    }
}

impl Faults {
    /// Sets a lever and gives its number. It acts from now on; of several that fit, the oldest acts.
    pub fn set(&self, mut lever: Lever) -> Result<u64, Error> {
        lever.check()?;
        if lever.at == Point::Push {
            lever.scope.operation.get_or_insert(operation::PUSH_MSG);
        }
        let mut table = self.table();
        table.last_id += 1;
        let id = table.last_id;
        table.hits.insert(id, 0);
        if lever.effect == Effect::Reverse {
            table.held.insert(id, Vec::new());
        }
        table.rules.push(Rule { id, left: lever.count, lever });
        self.publish(table);
        Ok(id)
    }

    /// Takes a lever away; what it held back goes on. Nothing happens if it is used up or unknown.
    pub fn clear(&self, id: u64) {
        let mut table = self.table();
        table.rules.retain(|rule| rule.id != id);
        let held = table.held.remove(&id).unwrap_or_default();
        self.publish(table);
        release(held);
    }

    /// Takes every lever away and sets the clock right.
    pub fn clear_all(&self) {
        let mut table = self.table();
        table.rules.clear();
        let held: Vec<_> = table.held.drain().collect();
        self.publish(table);
        self.shift_clock(0);
        held.into_iter().for_each(|(_, held)| release(held));
    }

    /// The levers that will act, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        let table = self.table();
        let hits = |id| table.hits.get(&id).copied().unwrap_or(0);
        table.rules.iter().map(|rule| Pending { id: rule.id, hits: hits(rule.id), left: rule.left }).collect()
    }

    /// How often a lever has acted and will act; one that is over will not.
    pub fn state(&self, id: u64) -> Pending {
        let table = self.table();
        let left = table.rules.iter().find(|rule| rule.id == id).map_or(Some(0), |rule| rule.left);
        Pending { id, hits: table.hits.get(&id).copied().unwrap_or(0), left }
    }

    /// How often a lever has acted.
    pub fn hits(&self, id: u64) -> u64 {
        self.state(id).hits
    }

    /// Waits until a lever has acted so often; false if it is over before.
    pub async fn acted(&self, id: u64, times: u64) -> bool {
        let mut changes = self.shared.changes.subscribe();
        loop {
            {
                let table = self.table();
                if table.hits.get(&id).is_some_and(|hits| *hits >= times) {
                    return true;
                }
                if !table.rules.iter().any(|rule| rule.id == id) {
                    return false;
                }
            }
            // the sender lives as long as `self`
            let _ = changes.changed().await;
        }
    }

    /// Moves the server's clock by so many milliseconds from the true time; 0 sets it right.
    pub fn shift_clock(&self, ms: i64) {
        self.shared.clock_shift_ms.store(ms, Ordering::Relaxed);
    }

    /// How far the server's clock is ahead, milliseconds.
    pub(crate) fn clock_shift(&self) -> i64 {
        self.shared.clock_shift_ms.load(Ordering::Relaxed)
    }

    /// Whether any lever is set at a point.
    pub(crate) fn any(&self, at: Point) -> bool {
        self.shared.points.load(Ordering::Relaxed) & at.bit() != 0
    }

    /// What becomes of an event; the lever that acts has acted with this.
    pub(crate) fn take(&self, at: Point, event: &Event<'_>) -> Option<Fate> {
        self.take_of(at, std::slice::from_ref(event))
    }

    /// The same for something that goes to several connections: the lever need fit one of them.
    pub(crate) fn take_of(&self, at: Point, events: &[Event<'_>]) -> Option<Fate> {
        if !self.any(at) {
            return None;
        }
        let mut table = self.table();
        let fits = |lever: &Lever| events.iter().any(|event| lever.fits(at, event));
        let place = table.rules.iter().position(|rule| fits(&rule.lever))?;
        let rule = table.rules.get_mut(place)?;
        rule.left = rule.left.map(|left| left.saturating_sub(1));
        let (id, is_last) = (rule.id, rule.left == Some(0));
        let concerned = events.iter().map(|event| rule.lever.fits(at, event)).collect();
        let fate = Fate { effect: rule.lever.effect.clone(), id, is_last, concerned };
        if is_last {
            table.rules.remove(place);
        }
        *table.hits.entry(id).or_default() += 1;
        self.publish(table);
        Some(fate)
    }

    /// How long to wait at a point whose levers only delay.
    pub(crate) fn delay(&self, at: Point, event: &Event<'_>) -> Option<Duration> {
        match self.take(at, event)?.effect {
            Effect::Delay { ms } => Some(Duration::from_millis(u64::from(ms))),
            _ => None,
        }
    }

    /// Holds something back for a lever that reverses, and lets everything go, the newest first, with the last. If the
    /// lever was cleared meanwhile it goes at once.
    pub(crate) fn hold(&self, id: u64, is_last: bool, action: impl FnOnce() + Send + 'static) {
        let mut table = self.table();
        let Some(held) = table.held.get_mut(&id) else {
            drop(table);
            return action();
        };
        held.push(Box::new(action));
        if is_last {
            let held = table.held.remove(&id).unwrap_or_default();
            drop(table);
            release(held);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.shared.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, table: MutexGuard<'_, Table>) {
        let points = table.rules.iter().fold(0, |bits, rule| bits | rule.lever.at.bit());
        self.shared.points.store(points, Ordering::Relaxed);
        drop(table);
        self.shared.changes.send_replace(());
    }
}

fn release(held: Vec<Release>) {
    held.into_iter().rev().for_each(|action| action());
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
