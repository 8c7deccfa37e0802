//! Values grouped by row, in one allocation: counted first, then put in their places.

use std::ops::Range;

/// How many values each of some rows will get.
pub(crate) struct RowCounts {
    first_row: usize,
    /// How many more than the row before.
    // An edge may pass a million rows: that is two additions here, not a million.
    rises: Vec<isize>,
}

impl RowCounts {
    pub(crate) fn new(rows: &Range<usize>) -> Self {
        Self { first_row: rows.start, rises: vec![0; rows.len() + 1] }
    }

    /// One more for each of `rows`, which lie among those asked for.
    pub(crate) fn add(&mut self, rows: &Range<usize>) {
        if rows.start < rows.end {
            self.rises[rows.start - self.first_row] += 1;
            self.rises[rows.end - self.first_row] -= 1;
        }
    }

    /// One more for one row.
    pub(crate) fn add_one(&mut self, row: usize) {
        self.add(&(row..row + 1));
    }

    pub(crate) fn into_lists<T: Copy + Default>(self) -> RowLists<T> {
        let (mut here, mut sum) = (0, 0);
        let mut next = Vec::with_capacity(self.rises.len());
        for rise in self.rises {
            next.push(sum);
            here += rise;
            sum += here as usize;
        }
        RowLists { first_row: self.first_row, next, values: vec![T::default(); sum] }
    }
}

/// Values grouped by row, in one allocation.
pub(crate) struct RowLists<T> {
    first_row: usize,
    /// Where each row's next value goes; when all are there, where the row ends.
    next: Vec<usize>,
    values: Vec<T>,
}

impl<T: Copy + Default> RowLists<T> {
    /// Adds a value to a row that has been counted for it.
    pub(crate) fn push(&mut self, row: usize, value: T) {
        let next = &mut self.next[row - self.first_row];
        self.values[*next] = value;
        *next += 1;
    }

    /// The values of a row, once all rows have theirs.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        let index = row - self.first_row;
        let start = if index == 0 { 0 } else { self.next[index - 1] };
        &mut self.values[start..self.next[index]]
    }
}
