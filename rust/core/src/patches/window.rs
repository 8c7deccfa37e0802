//! Rectangles of pixels: parts of a level, and what a patch sees of a segment.
//!
//! A window has a place in its segment and a place in its patch, since both are counted from their own
//! corners:
//!
//! ```
//! use ratiopath_core::patches::window::Window;
//!
//! // A patch of 4 x 4 pixels whose left half lies in the segment before.
//! let window = Window {
//!     patch: 0,
//!     segment_x: 0,
//!     segment_y: 6,
//!     patch_x: 2,
//!     patch_y: 0,
//!     width: 2,
//!     height: 4,
//! };
//! assert_eq!(window.width * window.height, 8);
//! ```

/// The part of one patch that lies in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Which patch.
    pub patch: usize,
    /// First column in the segment.
    pub segment_x: usize,
    /// First row in the segment.
    pub segment_y: usize,
    /// First column in the patch.
    pub patch_x: usize,
    /// First row in the patch.
    pub patch_y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A rectangle of the level, `x0..x1` by `y0..y1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rectangle {
    pub(crate) x0: usize,
    pub(crate) y0: usize,
    pub(crate) x1: usize,
    pub(crate) y1: usize,
}

impl Rectangle {
    pub(crate) fn is_empty(&self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// The smallest rectangle around this one and a window's part of the segment.
    pub(crate) fn union(&self, window: &Window) -> Self {
        Self {
            x0: self.x0.min(window.segment_x),
            y0: self.y0.min(window.segment_y),
            x1: self.x1.max(window.segment_x + window.width),
            y1: self.y1.max(window.segment_y + window.height),
        }
    }
}
