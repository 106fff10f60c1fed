//! Lists that the server gives in pages (http.md 1.9).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::session::Session;

/// Which page.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    /// From 1.
    pub(crate) page_number: usize,
    /// Elements in a page.
    pub(crate) show_number: usize,
}

#[derive(Serialize)]
struct PageRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    pagination: Pagination,
}

impl Session {
    /// Every element of one of the user's lists. The first page that is not full is the last one.
    pub(crate) async fn pages<A: DeserializeOwned + Default, T>(
        &self,
        path: &str,
        show_number: usize,
        elements: impl Fn(A) -> Vec<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        for page_number in 1.. {
            let pagination = Pagination { page_number, show_number };
            let page = elements(self.rest(path, &PageRequest { user_id: &self.user_id, pagination }).await?);
            let last = page.len() < show_number;
            all.extend(page);
            if last {
                break;
            }
        }
        Ok(all)
    }
}
