//! Puts one picture of every kind of thing on one sheet, to look at after a drawing was changed.
//!
//! usage: `cargo run -p lakefront-demo --example contact_sheet -- SHEET.png [PART OF PATH]`

use std::collections::BTreeMap;
use std::process::ExitCode;

use lakefront_demo::Pictures;
use resvg::tiny_skia::{FilterQuality, Pixmap, PixmapPaint, Transform};

const COLUMNS: u32 = 12;
/// Pixels of a small picture on the sheet.
const WIDTH: u32 = 120;
const HEIGHT: u32 = 160;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(sheet) = arguments.next() else {
        eprintln!("usage: contact_sheet SHEET.png [PART OF PATH]");
        return ExitCode::from(2);
    };
    match draw(&sheet, arguments.next().as_deref()) {
        Some(count) => {
            println!("{count} pictures on {sheet}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("error: the sheet could not be drawn");
            ExitCode::FAILURE
        }
    }
}

fn draw(sheet: &str, part: Option<&str>) -> Option<usize> {
    let pictures = Pictures::new(std::env::temp_dir().join("lakefront-contact-sheet")).ok()?;
    let mut chosen: Vec<&str> = Vec::new();
    match part {
        Some(part) => chosen.extend(pictures.paths().filter(|path| path.contains(part)).take(120)),
        None => {
            // The middle one of each article type: neither always black nor always white.
            let mut by_type: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for path in pictures.paths() {
                by_type.entry(path.split('/').next()?).or_default().push(path);
            }
            chosen.extend(by_type.values().map(|paths| paths[paths.len() / 2]));
        }
    }
    let rows = u32::try_from(chosen.len()).ok()?.div_ceil(COLUMNS);
    let mut canvas = Pixmap::new(COLUMNS * WIDTH, rows.max(1) * HEIGHT)?;
    let paint = PixmapPaint { quality: FilterQuality::Bicubic, ..PixmapPaint::default() };
    for (place, path) in (0_u32..).zip(&chosen) {
        let picture = Pixmap::decode_png(&pictures.get(path)?).ok()?;
        let scale = WIDTH as f32 / picture.width() as f32;
        let (x, y) = ((place % COLUMNS) * WIDTH, (place / COLUMNS) * HEIGHT);
        let place = Transform::from_row(scale, 0.0, 0.0, scale, x as f32, y as f32);
        canvas.draw_pixmap(0, 0, picture.as_ref(), &paint, place, None);
    }
    canvas.save_png(sheet).ok()?;
    Some(chosen.len())
}
