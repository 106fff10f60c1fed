//! What a lever is made of: where it acts, for whom, how often, and what it does.

use std::time::Duration;

use crate::error::Error;

/// Longest delay: nothing that a test waits for takes longer, and a server must be able to stop.
const LONGEST: Duration = Duration::from_secs(600);

/// Where a lever acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Point {
    /// A connection that would be let in.
    Handshake,
    /// A request, over the gateway or REST, before it is handled.
    Request,
    /// The answer to a request that was handled.
    Answer,
    /// A push on its way to a user's connections.
    Push,
    /// Storing a message that was accepted.
    Store,
    /// A commit of the database.
    Disk,
}

impl Point {
    /// One bit per point.
    pub(super) fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What a lever does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", tag = "effect")]
pub enum Effect {
    /// Nothing arrives. A dropped request is not handled, a dropped answer belongs to one that was.
    Drop,
    /// It happens later; what comes behind it does not wait.
    #[serde(rename_all = "camelCase")]
    Delay {
        /// Milliseconds.
        ms: u32,
    },
    /// It happens twice.
    Repeat,
    /// As many as the lever counts are held back, and leave in reverse order once the last one is there.
    Reverse,
    /// A refusal instead.
    #[serde(rename_all = "camelCase")]
    Refuse {
        /// Number of the protocol, not 0.
        code: i32,
        /// `errMsg`; the code's own name where left out.
        #[serde(default)]
        message: Option<String>,
    },
}

/// For what a lever acts; everything that is left out fits.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// The user: who connects, asks or sends, and for a push who receives it.
    #[serde(rename = "userID")]
    pub user_id: Option<String>,
    /// The platform of the connection; never that of a REST call, which has none.
    #[serde(rename = "platformID")]
    pub platform_id: Option<i32>,
    /// Operation of the gateway; for pushes 2001, messages, where left out.
    pub operation: Option<i32>,
    /// Path of the REST API, such as `/msg/get_server_time`.
    pub path: Option<String>,
    /// Content type of a message.
    pub content_type: Option<i32>,
    /// Conversation of a message.
    #[serde(rename = "conversationID")]
    pub conversation_id: Option<String>,
    /// Only messages that have a seq.
    pub stored: bool,
    /// Only pushes to a connection that is younger than this, milliseconds.
    pub younger_than_ms: Option<u32>,
}

/// A fault to be made on purpose.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lever {
    /// Where it acts.
    pub at: Point,
    /// For what.
    #[serde(flatten)]
    pub scope: Scope,
    /// What it does.
    #[serde(flatten)]
    pub effect: Effect,
    /// How often it acts; `None`: until it is cleared. A push counts once, however many connections the user has.
    #[serde(default)]
    pub count: Option<u32>,
}

impl Lever {
    /// A lever for everything that passes a point, until it is cleared.
    pub fn new(at: Point, effect: Effect) -> Self {
        Self { at, scope: Scope::default(), effect, count: None }
    }

    /// For one user.
    #[must_use]
    pub fn user(mut self, user_id: &str) -> Self {
        self.scope.user_id = Some(user_id.to_owned());
        self
    }

    /// For one operation of the gateway.
    #[must_use]
    pub fn operation(mut self, operation: i32) -> Self {
        self.scope.operation = Some(operation);
        self
    }

    /// For one path of the REST API.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.scope.path = Some(path.to_owned());
        self
    }

    /// So many times.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Whether it acts on an event. A REST call has one answer, which cannot be repeated.
    pub(super) fn fits(&self, at: Point, event: &Event<'_>) -> bool {
        let can_act = self.effect != Effect::Repeat || event.path.is_none();
        self.at == at && can_act && self.scope.fits(event)
    }

    /// Refuses what would never act, or not as it says.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, reason: String| Err(Error::Args { field: field.into(), reason });
        let Self { at, scope, effect, count } = self;
        if *count == Some(0) {
            return wrong("count", "must be at least 1".into());
        }
        match effect {
            Effect::Delay { ms } if Duration::from_millis(u64::from(*ms)) > LONGEST => {
                return wrong("ms", format!("must be at most {}", LONGEST.as_millis()));
            }
            Effect::Refuse { code: 0, .. } => return wrong("code", "must not be 0, which is success".into()),
            Effect::Reverse if count.is_none_or(|count| count < 2) => {
                return wrong("count", "must be at least 2: one push has no order".into());
            }
            Effect::Repeat if *at == Point::Answer && scope.path.is_some() => {
                return wrong("path", "must be left out: a REST call has one answer".into());
            }
            _ => {}
        }
        let fits = matches!(
            (at, effect),
            (Point::Handshake, Effect::Refuse { .. })
                | (Point::Request, Effect::Refuse { .. } | Effect::Drop)
                | (Point::Answer, Effect::Drop | Effect::Delay { .. } | Effect::Repeat)
                | (Point::Push, Effect::Drop | Effect::Delay { .. } | Effect::Repeat | Effect::Reverse)
                | (Point::Store | Point::Disk, Effect::Delay { .. })
        );
        if !fits {
            return wrong("effect", format!("cannot be made at {at:?}"));
        }
        if scope.path.is_some() && !matches!(at, Point::Request | Point::Answer) {
            return wrong("path", "belongs to requests and answers".into());
        }
        if scope.path.is_some() && scope.operation.is_some() {
            return wrong("operation", "and path exclude each other".into());
        }
        if scope.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            return wrong("path", "must begin with /".into());
        }
        Ok(())
    }
}

/// What passes a point, to be compared with a lever's scope.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Event<'a> {
    /// Who connects, asks, sends or receives.
    pub(crate) user_id: &'a str,
    /// The connection's platform.
    pub(crate) platform_id: Option<i32>,
    /// Operation of the gateway.
    pub(crate) operation: Option<i32>,
    /// Path of the REST API.
    pub(crate) path: Option<&'a str>,
    /// Content type of a message; 0 where there is none.
    pub(crate) content_type: i32,
    /// Conversation of a message.
    pub(crate) conversation_id: &'a str,
    /// Seq of a message; 0 where it has none.
    pub(crate) seq: i64,
    /// Age of the connection, milliseconds.
    pub(crate) age_ms: Option<i64>,
}

impl Scope {
    /// Whether it takes the event.
    fn fits(&self, event: &Event<'_>) -> bool {
        fn equal<T: PartialEq>(wanted: &Option<T>, found: Option<T>) -> bool {
            wanted.is_none() || *wanted == found
        }
        self.user_id.as_ref().is_none_or(|wanted| wanted == event.user_id)
            && equal(&self.platform_id, event.platform_id)
            && equal(&self.operation, event.operation)
            && equal(&self.path.as_deref(), event.path)
            && equal(&self.content_type, Some(event.content_type))
            && self.conversation_id.as_ref().is_none_or(|wanted| wanted == event.conversation_id)
            && (!self.stored || event.seq > 0)
            && self.younger_than_ms.is_none_or(|ms| event.age_ms.is_some_and(|age| age < i64::from(ms)))
    }
}
