//! pgvector's `vector` and `halfvec`, from arrays of float or double.

use super::buffer::CopyBuffer;
use super::list_offsets::ListOffsets;
use super::reject::{RejectCause, Written};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use half::f16;
use half::slice::HalfFloatSliceExt;
use std::ops::Range;

/// The element type of the column.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Element {
    /// `vector`: single floats
    Single,
    /// `halfvec`: half floats
    Half,
}

/// Arrays that become vectors of one length.
pub(super) struct Vectors<'a> {
    offsets: ListOffsets<'a>,
    numbers: Numbers<'a>,
    nulls: Option<&'a NullBuffer>,
    element: Element,
    dimensions: u32,
}

enum Numbers<'a> {
    Singles(&'a [f32]),
    Doubles(&'a [f64]),
}

/// Elements are converted in blocks of this many.
const BLOCK: usize = 64;

impl<'a> Vectors<'a> {
    /// The arrays of a column; None when its elements are neither single nor double floats.
    pub(super) fn new(
        offsets: ListOffsets<'a>,
        elements: &'a ArrayRef,
        element: Element,
        dimensions: u32,
    ) -> Option<Self> {
        let numbers = match elements.data_type() {
            DataType::Float32 => Numbers::Singles(elements.as_primitive::<Float32Type>().values()),
            DataType::Float64 => Numbers::Doubles(elements.as_primitive::<Float64Type>().values()),
            _ => return None,
        };
        let nulls = elements.nulls().filter(|nulls| nulls.null_count() > 0);
        Some(Self { offsets, numbers, nulls, element, dimensions })
    }

    /// Writes one vector: its dimensions, an unused word, the elements (`vector_recv`, `halfvec_recv`).
    pub(super) fn write(&self, row: usize, out: &mut CopyBuffer) -> Written {
        let places = self.offsets.range(row);
        let found = places.len();
        let dimensions = match u16::try_from(found) {
            Ok(dimensions) if u32::from(dimensions) == self.dimensions => dimensions,
            _ => return Err(Box::new(RejectCause::VectorLength { wanted: self.dimensions, found })),
        };
        if let Some(nulls) = self.nulls
            && let Some(place) = places.clone().position(|place| nulls.is_null(place))
        {
            return Err(refused(place, "NULL".into()));
        }
        let start = out.open_field();
        let [a, b] = dimensions.to_be_bytes();
        out.put([a, b, 0, 0]);
        let finite = match (&self.numbers, self.element) {
            (Numbers::Singles(numbers), Element::Single) => write_singles(&numbers[places.clone()], out),
            (Numbers::Singles(numbers), Element::Half) => write_halves(&numbers[places.clone()], out),
            (Numbers::Doubles(numbers), element) => {
                let mut singles = [0f32; BLOCK];
                numbers[places.clone()].chunks(BLOCK).fold(true, |finite, block| {
                    let singles = &mut singles[..block.len()];
                    for (single, &double) in singles.iter_mut().zip(block) {
                        *single = narrowed(double);
                    }
                    finite
                        & match element {
                            Element::Single => write_singles(singles, out),
                            Element::Half => write_halves(singles, out),
                        }
                })
            }
        };
        if !finite {
            return Err(self.refusal(places));
        }
        out.close_field(start);
        Ok(())
    }

    /// Finds the element that made a vector unfit.
    #[cold]
    fn refusal(&self, places: Range<usize>) -> Box<RejectCause> {
        for (place, at) in places.enumerate() {
            let (text, single) = match &self.numbers {
                Numbers::Singles(numbers) => (numbers[at].to_string(), numbers[at]),
                Numbers::Doubles(numbers) => (numbers[at].to_string(), narrowed(numbers[at])),
            };
            let fits = match self.element {
                Element::Single => single.is_finite(),
                Element::Half => f16::from_f32(single).is_finite(),
            };
            if !fits {
                return refused(place, text);
            }
        }
        refused(0, "not a finite number".into())
    }
}

/// A double becomes the nearest single first, also on its way to a half, as in pgvector's own cast from
/// `double precision[]`.
#[inline]
fn narrowed(double: f64) -> f32 {
    double as f32
}

fn refused(place: usize, found: String) -> Box<RejectCause> {
    Box::new(RejectCause::VectorElement { place: place + 1, found })
}

/// Writes single floats; false if one is not finite.
fn write_singles(numbers: &[f32], out: &mut CopyBuffer) -> bool {
    let places = out.extend_by(numbers.len() * 4);
    for (place, number) in places.chunks_exact_mut(4).zip(numbers) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    numbers.iter().fold(true, |finite, number| finite & number.is_finite())
}

/// Writes half floats, rounded to the nearest, ties to even; false if one is not finite.
fn write_halves(numbers: &[f32], out: &mut CopyBuffer) -> bool {
    let mut halves = [f16::ZERO; BLOCK];
    let mut finite = true;
    for block in numbers.chunks(BLOCK) {
        let halves = &mut halves[..block.len()];
        halves.convert_from_f32_slice(block);
        let places = out.extend_by(block.len() * 2);
        for (place, half) in places.chunks_exact_mut(2).zip(halves.iter()) {
            place.copy_from_slice(&half.to_be_bytes());
        }
        finite &= halves.iter().fold(true, |finite, half| finite & half.is_finite());
    }
    finite
}
