//! Counting the bytes of a block, whatever instructions find where they change.
//!
//! A block comes in with a bit for each byte that differs from the one before; each bit ends a run,
//! whose length is the distance of two bits. Where there are many, finding them costs more than
//! counting the bytes, which is then done one by one, and not looked at for a while ([`Backoff`]).

use crate::count::backoff::Backoff;
use crate::count::simd::block::Block;

/// Four counts for each byte, to be added up.
// Adding to the count that was just written waits for that write. Neighbours are mostly equal, and
// with a table for each of four in turn the next addition to one count is four bytes away.
pub(crate) type Tables = [[u64; 256]; 4];

/// Changes in a block beyond which its bytes are counted one by one.
// A run costs several times what a byte does: its end must be found before the next can begin.
const MOST_CHANGES: u32 = 16;

/// Counts the bytes of a run, given a bit for each byte of a block, but the first, that differs
/// from the one before.
#[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
pub(crate) fn count_with(
    run: &[u8],
    tables: &mut Tables,
    backoff: &mut Backoff,
    changes: impl Fn(&Block) -> u64,
) {
    let (blocks, rest) = run.as_chunks();
    for block in blocks {
        if backoff.is_over() {
            let changes = changes(block);
            if changes.count_ones() <= MOST_CHANGES {
                backoff.record(true);
                count_between(block, 0, changes, tables);
                continue;
            }
            backoff.record(false);
        }
        count_one_by_one(block, tables);
    }
    count_one_by_one(rest, tables);
}

/// Counts the bytes of a block from `start`, given where they change after it.
#[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
fn count_between(block: &Block, mut start: usize, mut changes: u64, tables: &mut Tables) {
    loop {
        for table in tables.iter_mut() {
            // Without a bit left, that is 64, the end of the block.
            let end = changes.trailing_zeros() as usize;
            // `& 63` tells the compiler what holds anyway: no check of bounds for each run.
            table[usize::from(block[start & 63])] += (end - start) as u64;
            if end == block.len() {
                return;
            }
            changes &= changes - 1;
            start = end;
        }
    }
}

#[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
pub(crate) fn count_one_by_one(run: &[u8], tables: &mut Tables) {
    let (quads, rest) = run.as_chunks::<4>();
    for quad in quads {
        for (table, &value) in tables.iter_mut().zip(quad) {
            table[usize::from(value)] += 1;
        }
    }
    for &value in rest {
        tables[0][usize::from(value)] += 1;
    }
}
