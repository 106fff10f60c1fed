//! The unread function (client-behaviour.md 4.5, invariant I5): a function of stored state, never a chain of increments.

use openim_proto::constants::recv_msg_opt;

use super::gaps::Range;
use crate::store::conversations::SyncRow;

/// The seqs that can be unread: above the read cursor and the floors, up to the server's newest or the user's ceiling.
pub(crate) fn window(row: &SyncRow) -> Option<Range> {
    let begin = row.has_read_seq.max(row.read_floor).max(row.min_seq - 1) + 1;
    let end = if row.max_seq > 0 { row.server_max_seq.min(row.max_seq) } else { row.server_max_seq };
    (begin <= end && row.recv_msg_opt != recv_msg_opt::NOT_RECEIVE).then_some((begin, end))
}

/// Unread messages of a window, `silent` of whose seqs cannot be unread: own messages, messages with the option off, and
/// holes. At most what OpenIM's number for it holds, so that sums cannot overflow whatever a server says.
pub(crate) fn count((begin, end): Range, silent: i64) -> i64 {
    (end - begin + 1 - silent).clamp(0, i64::from(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(has_read_seq: i64, server_max_seq: i64) -> SyncRow {
        SyncRow { has_read_seq, server_max_seq, ..SyncRow::default() }
    }

    #[test]
    fn unread_is_what_lies_between_the_cursor_and_the_newest() {
        assert_eq!(window(&row(0, 0)), None);
        assert_eq!(window(&row(7, 7)), None);
        assert_eq!(window(&row(3, 7)), Some((4, 7)));
        assert_eq!(count((4, 7), 1), 3);
        assert_eq!(count((4, 7), 9), 0);
        assert_eq!(count((1, openim_proto::constants::MAX_SEQ), 0), i64::from(i32::MAX));
    }

    #[test]
    fn floor_ceiling_and_refusal_narrow_the_window() {
        assert_eq!(window(&SyncRow { min_seq: 6, ..row(3, 9) }), Some((6, 9)));
        assert_eq!(window(&SyncRow { max_seq: 8, ..row(3, 9) }), Some((4, 8)));
        assert_eq!(window(&SyncRow { recv_msg_opt: 1, ..row(3, 9) }), None);
        assert_eq!(window(&SyncRow { recv_msg_opt: 2, ..row(3, 9) }), Some((4, 9)));
    }
}
