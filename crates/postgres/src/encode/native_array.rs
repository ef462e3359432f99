//! Native PostgreSQL arrays.

use super::buffer::CopyBuffer;
use super::cells::Cells;
use super::json::JsonState;
use super::list_offsets::ListOffsets;
use super::reject::{RejectCause, Written};
use lakefront_model::PgType;

/// `MaxArraySize` of PostgreSQL's `utils/array.h`, `MaxAllocSize / sizeof(Datum)`.
const MAX_ELEMENTS: usize = 0x3fff_ffff / 8;

/// Lists that become arrays of one dimension.
pub(super) struct Arrays<'a> {
    pub(super) offsets: ListOffsets<'a>,
    pub(super) elements: Cells<'a>,
    pub(super) element_oid: u32,
}

impl Arrays<'_> {
    /// Writes one array: dimensions, whether there is a NULL, the element type, then length and lower bound of
    /// the one dimension and the elements (`array_recv`). An empty array has no dimension.
    pub(super) fn write(&self, row: usize, out: &mut CopyBuffer, json: &mut JsonState) -> Written {
        let places = self.offsets.range(row);
        let len = match i32::try_from(places.len()) {
            Ok(len) if places.len() <= MAX_ELEMENTS => len,
            _ => {
                let bytes = places.len().saturating_mul(8);
                return Err(Box::new(RejectCause::TooLarge {
                    what: "an array",
                    bytes,
                    max: MAX_ELEMENTS * 8,
                }));
            }
        };
        let holds_null = places.clone().any(|place| self.elements.is_null(place));
        let start = out.open_field();
        out.put(i32::from(len > 0).to_be_bytes());
        out.put(i32::from(holds_null).to_be_bytes());
        out.put(self.element_oid.to_be_bytes());
        if len > 0 {
            const LOWER_BOUND: i32 = 1;
            out.put(len.to_be_bytes());
            out.put(LOWER_BOUND.to_be_bytes());
            for place in places {
                self.elements.write(place, out, json)?;
            }
        }
        out.close_field(start);
        Ok(())
    }
}

/// The type's number in `pg_type`; None for types whose number differs from server to server, and for arrays.
pub(super) fn type_oid(pg_type: &PgType) -> Option<u32> {
    Some(match pg_type {
        PgType::Boolean => 16,
        PgType::Bytea => 17,
        PgType::BigInt => 20,
        PgType::SmallInt => 21,
        PgType::Integer => 23,
        PgType::Text => 25,
        PgType::Real => 700,
        PgType::DoublePrecision => 701,
        PgType::Varchar(_) => 1043,
        PgType::Date => 1082,
        PgType::Timestamp => 1114,
        PgType::Timestamptz => 1184,
        PgType::Interval => 1186,
        PgType::Numeric { .. } => 1700,
        PgType::Jsonb => 3802,
        PgType::Vector(_) | PgType::Halfvec(_) | PgType::Array(_) => return None,
    })
}
