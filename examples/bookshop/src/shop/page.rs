//! One page of a longer list.

use sea_orm::{ConnectionTrait, Paginator, SelectorTrait};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which page is wanted; the first one of twenty items unless told otherwise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct Paging {
    /// The page, from 1.
    pub page: u64,
    /// How many items a page has, from 1 to 100.
    pub per_page: u64,
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            page: 1,
            per_page: 20,
        }
    }
}

impl Paging {
    /// Refuses a page or a size outside the bounds.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] names the field.
    pub(super) fn checked(self) -> Result<Self> {
        if self.page == 0 || self.page > u64::from(u32::MAX) {
            return Err(Error::Invalid {
                field: "page",
                why: "must be 1 or more",
            });
        }
        if !(1..=100).contains(&self.per_page) {
            return Err(Error::Invalid {
                field: "per_page",
                why: "must be from 1 to 100",
            });
        }
        Ok(self)
    }
}

/// Some items of a list, and where they stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many items a full page has.
    pub per_page: u64,
    /// How many items there are on all pages.
    pub total: u64,
    /// How many pages there are.
    pub pages: u64,
}

impl<T> Page<T> {
    /// Reads one page. `paging` has been checked.
    pub(super) async fn read<C, S>(paginator: Paginator<'_, C, S>, paging: Paging) -> Result<Self>
    where
        C: ConnectionTrait,
        S: SelectorTrait<Item = T>,
    {
        let count = paginator.num_items_and_pages().await?;
        Ok(Self {
            items: paginator.fetch_page(paging.page - 1).await?,
            page: paging.page,
            per_page: paging.per_page,
            total: count.number_of_items,
            pages: count.number_of_pages,
        })
    }

    /// The same page of something else.
    pub(super) fn with_items<U>(self, items: Vec<U>) -> Page<U> {
        Page {
            items,
            page: self.page,
            per_page: self.per_page,
            total: self.total,
            pages: self.pages,
        }
    }
}
