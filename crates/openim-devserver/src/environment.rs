//! Time, chance and mishap, injected so that tests own them.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::faults::Faults;

/// Where the server takes time and random bytes from, and what goes wrong.
#[derive(Clone)]
pub struct Environment {
    now: Arc<Clock>,
    fill: Arc<Chance>,
    faults: Faults,
}

type Clock = dyn Fn() -> i64 + Send + Sync;
type Chance = dyn Fn(&mut [u8]) + Send + Sync;

impl Environment {
    /// An environment of one's own: milliseconds since 1970, and a filler of random bytes.
    pub fn new(
        now: impl Fn() -> i64 + Send + Sync + 'static,
        fill: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), fill: Arc::new(fill), faults: Faults::default() }
    }

    /// The same with levers that somebody holds already.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The levers.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Milliseconds since 1970 by the server's clock, which a lever may have moved.
    pub fn now_ms(&self) -> i64 {
        self.true_now_ms().saturating_add(self.faults.clock_shift())
    }

    /// Milliseconds since 1970 by the clock that was injected.
    pub(crate) fn true_now_ms(&self) -> i64 {
        (self.now)()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes);
        bytes
    }

    /// A fresh id of 32 hexadecimal digits, the form of message ids.
    pub fn message_id(&self) -> String {
        hex(&self.random::<16>())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new(
            || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis() as i64),
            |bytes| {
                if let Err(error) = getrandom::fill(bytes) {
                    tracing::error!(%error, "the system gives no random bytes");
                }
            },
        )
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Environment")
    }
}

/// Lower-case hexadecimal text of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
