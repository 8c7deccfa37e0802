//! Runs of equal pixels of more than one byte, found a block at a time.
//!
//! A block is compared with the bytes one pixel before; where nothing differs, a run goes on. That
//! looks at every byte once, however short the runs are: comparing with the first pixel of a run, in a
//! loop that began anew with each run, took up to twice the time on masks and three times on noise.

use crate::count::simd::block::Block;

/// What takes runs of equal pixels.
pub(crate) trait Sink {
    /// Takes one pixel, so many times.
    fn add_pixel(&mut self, pixel: &[u8], pixels: u64);

    /// Takes pixels of which hardly one is like the next.
    #[inline]
    fn add_pixels<const N: usize>(&mut self, pixels: &[[u8; N]]) {
        for pixel in pixels {
            self.add_pixel(pixel, 1);
        }
    }
}

/// Hands runs of equal pixels of N bytes to `sink`, given a bit for each byte of one block that
/// differs from that of another.
#[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
pub(crate) fn for_each_with<const N: usize>(
    run: &[u8],
    sink: &mut impl Sink,
    differing: impl Fn(&Block, &Block) -> u64,
) {
    // Pixels of 3, 5, 6 or 7 bytes do not fill a block; what is left is the start of the next.
    let whole = size_of::<Block>() / N * N;
    let mut open = OpenRun { run, start: 0 };
    let mut at = N;
    while let (Some(block), Some(before)) = (block_at(run, at), block_at(run, at - N)) {
        let unlike = differing(before, block);
        at += whole;
        if unlike == 0 {
            continue;
        }
        let mut changes = first_bytes::<N>(unlike);
        // Runs of one pixel for the most part: that each ends where the next begins is no news.
        if changes.count_ones() as usize * N > whole / 4 * 3 {
            open.close::<N>(at - whole, sink);
            sink.add_pixels(block.as_chunks::<N>().0);
            open.start = at;
            continue;
        }
        while changes != 0 {
            open.close::<N>(at - whole + changes.trailing_zeros() as usize, sink);
            changes &= changes - 1;
        }
    }
    for pixel in (at..run.len()).step_by(N) {
        if run[pixel..pixel + N] != run[pixel - N..pixel] {
            open.close::<N>(pixel, sink);
        }
    }
    open.close::<N>(run.len(), sink);
}

/// Equal pixels that go on.
struct OpenRun<'a> {
    run: &'a [u8],
    start: usize,
}

impl OpenRun<'_> {
    #[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
    #[inline(always)]
    fn close<const N: usize>(&mut self, end: usize, sink: &mut impl Sink) {
        if self.start < end {
            let pixels = (end - self.start) / N;
            sink.add_pixel(&self.run[self.start..self.start + N], pixels as u64);
        }
        self.start = end;
    }
}

/// From a bit for each byte, a bit at the first byte of each pixel of which any has it.
#[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
fn first_bytes<const N: usize>(mut bytes: u64) -> u64 {
    let mut joined = 1;
    // Each step doubles how many bytes have gone into the lowest: two steps for four, three for eight.
    while joined < N {
        let more = joined.min(N - joined);
        bytes |= bytes >> more;
        joined += more;
    }
    let firsts = const {
        let (mut firsts, mut byte) = (0_u64, 0);
        while byte + N <= size_of::<Block>() {
            firsts |= 1 << byte;
            byte += N;
        }
        firsts
    };
    bytes & firsts
}

#[expect(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
fn block_at(run: &[u8], at: usize) -> Option<&Block> {
    run.get(at..)?.first_chunk()
}
