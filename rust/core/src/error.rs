//! Everything the core refuses, with the numbers in the message.
//!
//! Whatever comes in is answered or refused: nothing panics, and nothing is allocated by a number
//! that was not checked, since a worker that dies is started again with the same input for ever.
//!
//! ```
//! use ratiopath_core::Error;
//! use ratiopath_core::scale::scale_coordinates;
//!
//! let refused = scale_coordinates(&[1.0], -2.0, &mut [0]);
//! assert_eq!(refused, Err(Error::Scale(-2.0)));
//! assert_eq!(Error::Scale(-2.0).to_string(), "the scale must be a positive finite number, got -2");
//! ```

/// What the core returns where it may refuse.
pub type Result<T> = std::result::Result<T, Error>;

/// An input that has no right answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A scale that is not a positive number.
    #[error("the scale must be a positive finite number, got {0}")]
    Scale(f64),
    /// A coordinate whose scaled value is no 64-bit integer.
    #[error("coordinate {value} (index {index}) scaled by {scale} is not a 64-bit integer")]
    Coordinate {
        /// The coordinate as given.
        value: f64,
        /// Its place in the input.
        index: usize,
        /// The scale it was multiplied by.
        scale: f64,
    },
    /// A polygon vertex that is not finite or far outside any slide.
    #[error("polygon vertex {index} ({x}, {y}) is not a finite coordinate of at most 1e15")]
    Vertex {
        /// The vertex's place in the input.
        index: usize,
        /// Its x coordinate.
        x: f64,
        /// Its y coordinate.
        y: f64,
    },
    /// Ring ends that do not ascend to the number of vertices.
    #[error("ring ends must ascend and finish at the {vertices} vertices given")]
    RingEnds {
        /// How many vertices there are.
        vertices: usize,
    },
    /// Polygon ends that do not ascend to the number of rings.
    #[error("polygon ends must ascend and finish at the {rings} rings given")]
    PolygonEnds {
        /// How many rings there are.
        rings: usize,
    },
    /// An origin that is not finite.
    #[error("origin {index} ({x}, {y}) is not finite")]
    Origin {
        /// The origin's place in the input.
        index: usize,
        /// Its x coordinate.
        x: f64,
        /// Its y coordinate.
        y: f64,
    },
    /// Bounds that span nothing.
    #[error(
        "bounds ({x0}, {y0}, {x1}, {y1}) must be finite, at most 1e15, with x0 < x1 and y0 < y1"
    )]
    Bounds {
        /// Left.
        x0: f64,
        /// Top.
        y0: f64,
        /// Right.
        x1: f64,
        /// Bottom.
        y1: f64,
    },
    /// A grid with no pixel, or with more than can be indexed.
    #[error("a grid of {height} x {width} pixels is not between 1 x 1 and 2147483647 x 2147483647")]
    Grid {
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
    },
    /// A buffer whose length does not follow from the shape that comes with it.
    #[error("{what}: expected a length of {expected}, got {actual}")]
    Length {
        /// Which buffer.
        what: &'static str,
        /// What the shape asks for.
        expected: usize,
        /// What was given.
        actual: usize,
    },
    /// Pixels of no bytes.
    #[error("a pixel must have at least one byte")]
    EmptyPixel,
    /// More pixels than there is memory for.
    #[error("no memory for {height} x {width} pixels of {pixel_bytes} bytes")]
    Memory {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Bytes of a pixel.
        pixel_bytes: usize,
    },
    /// A type of sample that cannot be added up.
    #[error("samples of kind {kind:?} and {bytes} bytes are of no type that can be added up")]
    SampleType {
        /// The kind asked for.
        kind: char,
        /// Bytes of a sample.
        bytes: usize,
    },
    /// A weight that is no area.
    #[error("weight {value} at index {index} is not a finite number of at least 0")]
    Weight {
        /// The weight.
        value: f64,
        /// Its place in the input.
        index: usize,
    },
    /// An index past the end.
    #[error("{what} {index} is out of range: there are {count}")]
    Index {
        /// What is indexed.
        what: &'static str,
        /// The index given.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Segments without pixels, or more of them than can be numbered.
    #[error(
        "a level of {height} x {width} pixels cannot be cut into segments of {segment_height} x {segment_width}"
    )]
    Segments {
        /// Rows of the level.
        height: usize,
        /// Columns of the level.
        width: usize,
        /// Rows of a segment.
        segment_height: usize,
        /// Columns of a segment.
        segment_width: usize,
    },
    /// Patches of one output that are not alike.
    #[error("patches that are written side by side must share one stencil, got {count}")]
    Stencils {
        /// How many stencils the plan has.
        count: usize,
    },
    /// Patches that do not fit their places in the output.
    #[error("{bytes} bytes at offset {offset} do not fit a stride of {stride} bytes")]
    Stride {
        /// What is written of a patch.
        bytes: usize,
        /// From a patch's start to what is written.
        offset: usize,
        /// From one patch to the next.
        stride: usize,
    },
    /// Patches that touch more segments than a plan may hold.
    #[error(
        "{patches} patches touch {pairs} segments together, more than {most}: take fewer at once"
    )]
    Pairs {
        /// How many patches there are.
        patches: usize,
        /// How many segments each touches, added up.
        pairs: usize,
        /// How many are allowed.
        most: usize,
    },
    /// A segment that decodes to fewer pixels than its part of the level.
    #[error(
        "segment has {width} x {height} pixels where at least {needed_width} x {needed_height} lie inside the level"
    )]
    Segment {
        /// Columns decoded.
        width: usize,
        /// Rows decoded.
        height: usize,
        /// Columns inside the level.
        needed_width: usize,
        /// Rows inside the level.
        needed_height: usize,
    },
    /// Decoded rows that are no whole pixels.
    #[error("rows of {row_bytes} bytes are no whole pixels of {pixel_bytes} bytes")]
    RowBytes {
        /// Bytes of a row.
        row_bytes: usize,
        /// Bytes of a pixel.
        pixel_bytes: usize,
    },
    /// An LZW stream with a code that has no meaning.
    #[error(
        "the LZW stream is corrupt: a code near byte {read}, after {written} decoded bytes, has no meaning"
    )]
    Lzw {
        /// Bytes of the stream that were read.
        read: usize,
        /// Bytes that had been decoded.
        written: usize,
    },
}
