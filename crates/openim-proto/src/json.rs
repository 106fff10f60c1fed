//! Field forms of the JSON that Go servers write and accept (gateway.md 0.3, http.md 1.7).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `null` means the default, as it does for Go's decoder.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A nil slice is written as `null`; the captured server never writes `[]`.
pub(crate) fn null_if_empty<S, T>(list: &[T], serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize,
{
    if list.is_empty() { serializer.serialize_none() } else { list.serialize(serializer) }
}

/// Bytes as standard padded base64 text.
pub(crate) mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.map_or(Ok(Vec::new()), |text| STANDARD.decode(text.as_bytes()).map_err(D::Error::custom))
    }
}
