//! Time and randomness, injected so that tests can decide both.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a client takes the time and its random bytes from.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

impl Clock {
    /// The machine's clock and random source.
    pub fn system() -> Self {
        Self::new(system_now, system_random)
    }

    /// Any other source. `now` answers milliseconds since the Unix epoch.
    pub fn new(
        now: impl Fn() -> i64 + Send + Sync + 'static,
        random: impl Fn() -> u128 + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), random: Arc::new(random) }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    /// A new id: 32 hexadecimal digits.
    pub fn id(&self) -> String {
        format!("{:032x}", (self.random)())
    }

    /// A number from 0 (inclusive) to 1 (exclusive), for jitter.
    pub fn fraction(&self) -> f64 {
        ((self.random)() & 0xffff_ffff) as f64 / 4_294_967_296.0
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

fn system_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

fn system_random() -> u128 {
    let mut bytes = [0; 16];
    // The operating system's source does not fail once the machine is up; if it does, time still tells ids apart.
    if getrandom::fill(&mut bytes).is_err() {
        return SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos());
    }
    u128::from_le_bytes(bytes)
}
