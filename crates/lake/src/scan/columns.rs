//! How a file's columns become those that the table's schema has for its files.

use super::null_maps;
use super::texts::{self, Texts};
use crate::LakeError;
use crate::kernel_error::{Reading, from_arrow, from_kernel};
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use delta_kernel::engine::arrow_conversion::TryIntoArrow;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::engine::arrow_utils::{ReorderIndex, fixup_parquet_read, parquet_read_plan};
use delta_kernel::schema::SchemaRef as KernelSchema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The columns that a scan reads from files, partition columns left out, under their physical names.
#[derive(Debug)]
pub(crate) struct FileColumns {
    pub(crate) kernel: KernelSchema,
    texts: Texts,
    /// as they are read; absent where Arrow cannot express them
    arrow: Option<SchemaRef>,
    /// what was found for the last file. Files of one writer are alike, and where they are small this costs as much as
    /// their rows
    last: Mutex<Option<(SchemaRef, Arc<ColumnPlan>)>>,
    /// the same with texts as views
    viewed: OnceLock<Arc<FileColumns>>,
}

/// What becomes of the columns of files that have the same ones.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    /// where each column read belongs among those wanted, and what is done to it
    ordering: Vec<ReorderIndex>,
    /// the file's columns that are read; all when absent
    pub(crate) projection: Option<ProjectionMask>,
}

impl FileColumns {
    pub(crate) fn new(kernel: KernelSchema) -> Self {
        let arrow = kernel.as_ref().try_into_arrow().map(|schema: Schema| Arc::new(schema));
        let (last, viewed) = Default::default();
        Self { kernel, texts: Texts::Plain, arrow: arrow.ok(), last, viewed }
    }

    /// The same, with texts as views where nothing is done to the columns.
    pub(crate) fn with_views(&self) -> Arc<Self> {
        let viewed = self.viewed.get_or_init(|| {
            let arrow = self.arrow.as_ref().map(|schema| Arc::new(texts::as_views(schema)));
            let (last, viewed) = Default::default();
            Arc::new(Self { kernel: Arc::clone(&self.kernel), texts: Texts::Views, arrow, last, viewed })
        });
        Arc::clone(viewed)
    }

    /// How texts are to be read.
    pub(crate) fn texts(&self) -> Texts {
        self.texts
    }

    /// The plan for a file.
    ///
    /// # Errors
    /// [`LakeError::UnreadableFile`] when its columns do not fit the table's schema.
    pub(crate) fn plan(
        &self,
        reading: &Reading,
        metadata: &ArrowReaderMetadata,
    ) -> Result<Arc<ColumnPlan>, LakeError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((schema, plan)) = &*last
            && schema == metadata.schema()
        {
            return Ok(Arc::clone(plan));
        }
        // Whatever the kernel finds here is a file that does not fit the table's schema.
        let (ordering, projection) =
            parquet_read_plan(&self.kernel, metadata).map_err(|error| match from_kernel(reading, error) {
                LakeError::UnsupportedFeature { features, .. } => reading.damaged(features.join(", ")),
                other => other,
            })?;
        let plan = Arc::new(ColumnPlan { ordering, projection });
        *last = Some((Arc::clone(metadata.schema()), Arc::clone(&plan)));
        Ok(plan)
    }

    /// The wanted columns of rows that were read from the file `name`.
    ///
    /// # Errors
    /// [`LakeError::UnreadableFile`] when values do not fit them.
    pub(crate) fn of(
        &self,
        reading: &Reading,
        name: &str,
        plan: &ColumnPlan,
        decoded: RecordBatch,
    ) -> Result<ArrowEngineData, LakeError> {
        if let Some(wanted) = self.arrow.as_ref().filter(|wanted| plan.leaves(&decoded, wanted))
            && let Ok(batch) = RecordBatch::try_new(Arc::clone(wanted), decoded.columns().to_vec())
        {
            return Ok(ArrowEngineData::new(batch));
        }
        let decoded = texts::plain(decoded).map_err(|error| from_arrow(reading, error))?;
        let before = decoded.clone();
        let (decoded, nulls) = null_maps::put_aside(decoded);
        let wanted = fixup_parquet_read(decoded, &plan.ordering, None, Some(name), Some(&self.kernel))
            .map_err(|error| from_kernel(reading, error))?;
        let places = plan.ordering.iter().map(|place| place.index);
        let wanted = null_maps::put_back(RecordBatch::from(wanted), nulls.into_iter().zip(places));
        let wanted = wanted.map_err(|error| from_arrow(reading, error))?;
        plan.check_casts(reading, &before, &wanted)?;
        Ok(ArrowEngineData::new(wanted))
    }
}

impl ColumnPlan {
    /// Whether all columns stay as they are and where they are.
    fn leaves(&self, decoded: &RecordBatch, wanted: &Schema) -> bool {
        let (columns, fields) = (decoded.columns(), wanted.fields());
        let places = self.ordering.iter().map(|place| place.index);
        columns.len() == fields.len()
            && places.eq(0..fields.len())
            && columns.iter().zip(fields).all(|(column, field)| {
                column.data_type() == field.data_type() && !field.data_type().is_nested()
            })
    }

    /// Arrow's casts make NULL of what does not fit the table's type, such as milliseconds too far off.
    fn check_casts(
        &self,
        reading: &Reading,
        decoded: &RecordBatch,
        wanted: &RecordBatch,
    ) -> Result<(), LakeError> {
        for (from, place) in decoded.columns().iter().zip(&self.ordering) {
            let Some(to) = wanted.columns().get(place.index) else { continue };
            let cast = from.data_type() != to.data_type() && !from.data_type().is_nested();
            if cast && from.null_count() != to.null_count() {
                let schema = wanted.schema();
                return Err(reading.damaged(format!(
                    "column \"{}\" has values that its type {} cannot hold",
                    schema.field(place.index).name(),
                    to.data_type()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Location;
    use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Array, ArrayRef};
    use bytes::Bytes;
    use delta_kernel::schema::{DataType, MapType, StructField, StructType};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

    #[test]
    fn null_maps_stay_null_where_their_values_are_widened() {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        maps.keys().append_value("a");
        maps.values().append_value(7);
        maps.append(true).unwrap();
        maps.append(false).unwrap();
        let rows = RecordBatch::try_from_iter([("m", Arc::new(maps.finish()) as ArrayRef)]).unwrap();
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, rows.schema(), None).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        let file = Bytes::from(file);
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).unwrap();
        let kind = MapType::new(DataType::STRING, DataType::LONG, true);
        let columns =
            FileColumns::new(Arc::new(StructType::try_new([StructField::nullable("m", kind)]).unwrap()));
        let reading = Reading::file(&Location::parse("/tables/t").unwrap(), "f");
        let plan = columns.plan(&reading, &metadata).unwrap();
        let decoded =
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().next().unwrap().unwrap();
        let wanted = RecordBatch::from(columns.of(&reading, "f", &plan, decoded).unwrap());
        let maps = wanted.column(0).as_map();
        assert_eq!((maps.is_null(0), maps.is_null(1)), (false, true));
        assert_eq!(maps.values().as_primitive::<Int64Type>().values(), &[7]);
    }
}
