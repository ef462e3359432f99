#![allow(clippy::unwrap_used)]
use super::*;
use crate::Location;
use crate::runtime::Runtime;
use crate::scan::FileColumns;
use crate::scan::footer::footer_reader;
use crate::store::Opened;
use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch};
use delta_kernel::engine::arrow_conversion::TryIntoKernel;
use delta_kernel::object_store::memory::InMemory;
use delta_kernel::schema::StructType;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// A file of `groups` row groups with two columns: numbers, and `width` bytes of text that does not compress.
fn file(groups: i64, rows: i64, width: usize) -> Bytes {
    let mut seed = 1u64;
    let mut random = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 56) as u8
    };
    let batches: Vec<RecordBatch> = (0..groups)
        .map(|group| {
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(group * rows..(group + 1) * rows));
            let texts: Vec<Vec<u8>> = (0..rows).map(|_| (0..width).map(|_| random()).collect()).collect();
            let texts: ArrayRef = Arc::new(BinaryArray::from_iter_values(texts));
            RecordBatch::try_from_iter([("id", ids), ("text", texts)]).unwrap()
        })
        .collect();
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batches[0].schema(), Some(properties)).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes.into()
}

/// The file put into a store, opened for all its row groups, and its bytes.
fn opened(bytes: &Bytes) -> (RemoteFile, Footer, Arc<Store>) {
    let runtime = Arc::new(Runtime::new().unwrap());
    let objects = Arc::new(InMemory::new());
    let store = Arc::new(Store::new(Opened { objects, credentials: None, is_local: false }, runtime));
    let (put, path, payload) = (store.objects().clone(), Path::from("f"), bytes.clone());
    store.wait_for(async move { put.put(&path, payload.into()).await.unwrap() }).unwrap();
    let reading = Reading::file(&Location::parse("s3://bucket/t").unwrap(), "f");
    let source = RemoteSource { store: Arc::clone(&store), path: Path::from("f"), reading: reading.clone() };
    let metadata = footer_reader().parse_and_finish(bytes).unwrap();
    let groups = metadata.num_row_groups();
    let schema =
        parquet::arrow::parquet_to_arrow_schema(metadata.file_metadata().schema_descr(), None).unwrap();
    let physical: StructType = (&schema).try_into_kernel().unwrap();
    let footer = Footer::new(&reading, metadata, &FileColumns::new(Arc::new(physical)), None).unwrap();
    let file = RemoteFile::new(source, bytes.len() as u64, &footer, &(0..groups));
    (file, footer, store)
}

fn held(file: &RemoteFile) -> usize {
    file.held.lock().unwrap().iter().map(|held| held.bytes.len()).sum()
}

/// Reads all chunks as a Parquet reader does: columns side by side, in pieces.
fn read_through(file: &RemoteFile, whole: &Bytes, piece: usize) -> usize {
    let mut most = 0;
    let columns = file.columns;
    let groups: Vec<Vec<Chunk>> = file.chunks.chunks(columns).map(<[Chunk]>::to_vec).collect();
    for group in groups {
        let mut positions: Vec<u64> = group.iter().map(|chunk| chunk.range.start).collect();
        while positions.iter().zip(&group).any(|(at, chunk)| *at < chunk.range.end) {
            for (at, chunk) in positions.iter_mut().zip(&group) {
                let length = piece.min((chunk.range.end - *at) as usize);
                if length > 0 {
                    let start = *at as usize;
                    assert!(file.at_least(*at, 1).unwrap()[0] == whole[start]);
                    assert_eq!(file.bytes(*at, length).unwrap(), whole[start..start + length]);
                    *at += length as u64;
                }
                most = most.max(held(file));
            }
        }
    }
    most
}

#[test]
fn small_row_groups_are_held_one_at_a_time() {
    let bytes = file(3, 1000, 1000);
    let (file, footer, _store) = opened(&bytes);
    let most = read_through(&file, &bytes, 10_000);
    let group = footer.row_groups().map(|group| group.bytes).max().unwrap() as usize;
    assert!(most >= group && most < 2 * group, "{most} of groups of {group}");
}

#[test]
fn a_large_row_group_is_read_through_windows() {
    let bytes = file(1, 40_000, 1000);
    let (file, _footer, _store) = opened(&bytes);
    for piece in [100_000, 1_000_000, 7_000_000] {
        let most = read_through(&file, &bytes, piece);
        assert!(most < GROUP_BYTES as usize + piece, "{most}");
        file.held.lock().unwrap().iter_mut().for_each(|held| *held = Held::default());
    }
}

#[test]
fn the_end_fetched_with_the_footer_is_used() {
    let bytes = file(1, 10, 10);
    let (mut file, ..) = opened(&bytes);
    file.tail = Some((0, bytes.clone()));
    assert_eq!(read_through(&file, &bytes, 64), 0, "nothing is fetched again");
}

#[test]
fn bytes_beyond_a_chunk_are_an_error() {
    let bytes = file(1, 10, 10);
    let (file, ..) = opened(&bytes);
    let end = file.chunks.last().unwrap().range.end;
    let error = file.bytes(end - 4, 8).unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/t: file f cannot be read: it ends early");
}
