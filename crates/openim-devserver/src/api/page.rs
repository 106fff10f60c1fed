//! Pages of lists (http.md 1.9).

use serde::Deserialize;

use crate::domain::Fault;

/// Which page of a list a call wants.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Pagination {
    page_number: i32,
    show_number: i32,
}

/// Refuses a missing or impossible page.
pub(super) fn check(pagination: Option<Pagination>) -> Result<Pagination, Fault> {
    let page = pagination.ok_or_else(|| Fault::args("pagination is empty"))?;
    if page.page_number < 1 { Err(Fault::args("pageNumber is invalid")) } else { Ok(page) }
}

impl Pagination {
    /// The page of a list; empty beyond its end.
    pub(super) fn of<T>(self, list: Vec<T>) -> Vec<T> {
        let size = usize::try_from(self.show_number).unwrap_or(0);
        let skipped = usize::try_from(self.page_number - 1).unwrap_or(0).saturating_mul(size);
        list.into_iter().skip(skipped).take(size).collect()
    }
}

/// A nil list, which Go writes as `null`.
pub(super) fn null_if_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    if list.is_empty() { None } else { Some(list) }
}
