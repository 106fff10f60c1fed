//! The text of a login token: a JWT with an HMAC of the server's secret (gateway.md 9.1, http.md 5.4). A library of every
//! signing method would bring RSA and elliptic curves into the addon, whose size is bounded.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openim_proto::error_code;
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::config::Config;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Contents of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Whose.
    #[serde(rename = "UserID")]
    pub(crate) user_id: String,
    /// For which platform.
    #[serde(rename = "PlatformID")]
    pub(crate) platform_id: i32,
    /// End, seconds since 1970.
    pub(crate) exp: i64,
    /// Issue time, seconds since 1970.
    #[serde(default)]
    pub(crate) iat: i64,
    /// Begin, seconds since 1970; this server sets none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<i64>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// Signs and reads tokens.
pub(crate) struct Jwt {
    secret: Vec<u8>,
    /// Life of a token, seconds.
    pub(crate) lifetime: i64,
}

impl Jwt {
    /// The secret and the lifetime of a configuration.
    pub(super) fn new(config: &Config) -> Self {
        Self { secret: config.secret.clone().into_bytes(), lifetime: i64::from(config.token_expire_days) * 86_400 }
    }

    /// Checks signature and times. Any HMAC that the header names will do, as on the real server.
    pub(crate) fn read(&self, token: &str, now_ms: i64) -> Result<Claims, Fault> {
        let malformed = || Fault::new(error_code::TOKEN_MALFORMED, "");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let header: Header = part(header).ok_or_else(malformed)?;
        let algorithm = match header.alg.as_str() {
            "HS256" => hmac::HMAC_SHA256,
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => return Err(Fault::worded(error_code::TOKEN_UNKNOWN, "signing method is invalid")),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
        hmac::verify(&hmac::Key::new(algorithm, &self.secret), signed.as_bytes(), &signature)
            .map_err(|_| Fault::worded(error_code::TOKEN_UNKNOWN, "signature is invalid"))?;
        let claims: Claims = part(claims).ok_or_else(malformed)?;
        let now = now_ms / 1000;
        if claims.exp <= now {
            return Err(Fault::new(error_code::TOKEN_EXPIRED, ""));
        }
        if claims.nbf.is_some_and(|begin| begin > now) {
            return Err(Fault::new(error_code::TOKEN_NOT_VALID_YET, ""));
        }
        if claims.iat > now {
            return Err(Fault::worded(error_code::TOKEN_UNKNOWN, "token used before issued"));
        }
        Ok(claims)
    }

    /// The token of these claims.
    pub(super) fn sign(&self, claims: &Claims) -> String {
        // strings and numbers cannot fail to be written
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let signed = format!("{HEADER}.{claims}");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
