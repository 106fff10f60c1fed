//! A refusal, as the protocol words it.

use std::borrow::Cow;

use openim_proto::error_code;

/// Code, name and detail of a refusal. Over the gateway only the first two travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Number of the protocol.
    pub(crate) code: i32,
    /// Its name, or a text that stands in for it.
    pub(crate) message: Cow<'static, str>,
    /// Which rule, for people.
    pub(crate) detail: Cow<'static, str>,
}

impl Fault {
    /// A refusal with the code's own name.
    pub(crate) fn new(code: i32, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: error_code::name(code).into(), detail: detail.into() }
    }

    /// A refusal whose name is a text.
    pub(crate) fn worded(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), detail: "".into() }
    }

    /// A refusal that a lever makes; without a text it has the code's own name.
    pub(crate) fn made(code: i32, message: Option<String>) -> Self {
        match message {
            Some(message) => Self::worded(code, message),
            None => Self::new(code, ""),
        }
    }

    /// 1001.
    pub(crate) fn args(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(error_code::ARGS, detail)
    }

    /// 1002.
    pub(crate) fn no_permission(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(error_code::NO_PERMISSION, detail)
    }

    /// 1004.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(error_code::RECORD_NOT_FOUND, detail)
    }

    /// 500.
    pub(crate) fn internal(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(error_code::SERVER_INTERNAL, detail)
    }

    /// The database failed or is closed.
    pub(crate) fn database() -> Self {
        Self::internal("the database does not answer")
    }
}

impl From<Fault> for crate::Error {
    fn from(fault: Fault) -> Self {
        Self::Refused { code: fault.code, message: fault.message.into(), detail: fault.detail.into() }
    }
}
