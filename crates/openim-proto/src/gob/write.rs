//! From an envelope to gob: a constant definition, then one struct (gateway.md 2.4.3, 2.4.6).

use super::{FIRST_USER_TYPE, Record, Value};

/// The frame of a record.
pub(super) fn encode<R: Record>(record: &R) -> Vec<u8> {
    let values = record.values();
    // type id, the fields that are not zero with a delta each, the end
    let length = 3 + values.iter().filter(|value| !value.is_zero()).map(|value| 1 + value.size()).sum::<usize>();
    let mut frame = Vec::with_capacity(R::DEFINITION.len() + length + 9);
    frame.extend_from_slice(R::DEFINITION);
    write_unsigned(&mut frame, length as u64);
    write_unsigned(&mut frame, zigzag(FIRST_USER_TYPE));
    let mut delta = 1;
    for value in values {
        if value.is_zero() {
            delta += 1;
            continue;
        }
        frame.push(delta);
        delta = 1;
        match value {
            Value::Int(number) => write_unsigned(&mut frame, zigzag(number.into())),
            Value::Text(text) => write_bytes(&mut frame, text.as_bytes()),
            Value::Bytes(bytes) => write_bytes(&mut frame, bytes),
        }
    }
    frame.push(0);
    frame
}

impl Value<'_> {
    fn is_zero(&self) -> bool {
        match self {
            Self::Int(number) => *number == 0,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Int(number) => size_of_unsigned(zigzag((*number).into())),
            Self::Text(text) => size_of_unsigned(text.len() as u64) + text.len(),
            Self::Bytes(bytes) => size_of_unsigned(bytes.len() as u64) + bytes.len(),
        }
    }
}

/// Signed to unsigned: the sign goes into the lowest bit.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn size_of_unsigned(number: u64) -> usize {
    if number < 128 { 1 } else { 9 - number.leading_zeros() as usize / 8 }
}

/// Below 128 one byte; otherwise the negated count of bytes, then these, the highest first.
fn write_unsigned(out: &mut Vec<u8>, number: u64) {
    if number < 128 {
        out.push(number as u8);
        return;
    }
    let zeros = number.leading_zeros() as usize / 8;
    out.push((zeros as u8).wrapping_sub(8));
    out.extend(number.to_be_bytes().into_iter().skip(zeros));
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_unsigned(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
