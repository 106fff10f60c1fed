//! Page caches: all databases of the process share one budget (R9). Of a database's share its writer may use a half and
//! each of its two readers a quarter. Shares are powers of two, so that they change seldom while accounts come and go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use super::desk::Desk;

/// Where no client says.
const DEFAULT_BUDGET: u64 = 64 << 20;
/// The budget is divided among so many at least: one database alone does not take all of it.
const FEWEST: u64 = 2;
/// With less than this SQLite writes pages more than once in a transaction of usual size.
const LEAST_KIB: u32 = 64;
/// SQLite takes the number as 32 bits with a sign.
const MOST_KIB: u64 = 1 << 30;

static TABLE: Mutex<Table> = Mutex::new(Table { last: 0, seats: BTreeMap::new() });
/// A quarter of a database's share.
static QUARTER_KIB: AtomicU32 = AtomicU32::new(quarter_kib(DEFAULT_BUDGET, 0));

struct Table {
    last: u64,
    seats: BTreeMap<u64, (Option<u64>, Weak<Desk>)>,
}

/// An open database's place among the others; its share goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Seat(u64);

impl Seat {
    /// `budget`: what the database's client wants for the whole process, bytes. The largest such wish counts.
    pub(super) fn take(budget: Option<u64>, desk: Weak<Desk>) -> Self {
        let mut table = lock();
        table.last += 1;
        let id = table.last;
        table.seats.insert(id, (budget, desk));
        divide(table);
        Self(id)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = lock();
        table.seats.remove(&self.0);
        divide(table);
    }
}

/// What a writer's cache may hold, KiB.
pub(super) fn writer_kib() -> u32 {
    (QUARTER_KIB.load(Ordering::Relaxed) * 2).max(LEAST_KIB)
}

/// What a reader's cache may hold, KiB.
pub(super) fn reader_kib() -> u32 {
    QUARTER_KIB.load(Ordering::Relaxed).max(LEAST_KIB)
}

const fn quarter_kib(budget: u64, databases: u64) -> u32 {
    let kib = budget / 1024 / if databases > FEWEST { databases } else { FEWEST } / 4;
    let kib = if kib > MOST_KIB { MOST_KIB } else { kib };
    match kib.checked_ilog2() {
        Some(power) => 1 << power,
        None => 1,
    }
}

/// Each database fits its caches to its share when it is used next. A share that became smaller is taken at once from
/// those that are not in use.
fn divide(table: MutexGuard<'_, Table>) {
    let wishes = table.seats.values().filter_map(|(budget, _)| *budget);
    let now = quarter_kib(wishes.max().unwrap_or(DEFAULT_BUDGET), table.seats.len() as u64);
    if QUARTER_KIB.swap(now, Ordering::Relaxed) <= now {
        return;
    }
    let desks: Vec<_> = table.seats.values().filter_map(|(_, desk)| desk.upgrade()).collect();
    drop(table);
    for desk in desks {
        desk.fit_if_free();
    }
}

fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_power_of_two_and_all_together_stay_within_the_budget() {
        assert_eq!(quarter_kib(DEFAULT_BUDGET, 1), 8 << 10);
        assert_eq!(quarter_kib(DEFAULT_BUDGET, 2), 8 << 10);
        assert_eq!(quarter_kib(DEFAULT_BUDGET, 3), 4 << 10);
        assert_eq!(quarter_kib(256 << 20, 1), 32 << 10);
        assert_eq!(quarter_kib(DEFAULT_BUDGET, 1000), 16);
        assert_eq!(quarter_kib(1 << 20, 1_000_000), 1);
        assert_eq!(u64::from(quarter_kib(u64::MAX, 0)), MOST_KIB);
        for databases in 2..3000 {
            assert!(u64::from(quarter_kib(DEFAULT_BUDGET, databases)) * 4 * databases <= DEFAULT_BUDGET / 1024);
        }
    }
}
