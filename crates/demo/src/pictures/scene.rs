//! Puts a drawing on a soft ground with its shadow, and makes a PNG of it.
//!
//! An SVG gradient over the whole picture and an SVG blur would cost several times what the
//! drawing itself costs; here both are a few sums a pixel.

use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use resvg::tiny_skia::Pixmap;

use super::palette::Shade;

/// Pixels along the side of a cell of the shadow, which is soft enough to be coarse.
const CELL: usize = 4;
/// Cells that the shadow is smeared over in each direction, three times.
const SMEAR: usize = 2;
/// Pixels that the shadow lies below the drawing.
const SHADOW_BELOW: f32 = 9.0;
const SHADOW_STRENGTH: f32 = 0.28;
const SHADOW_COLOUR: [f32; 3] = [42.0, 36.0, 48.0];
/// Where the ground is lightest, and how far its gradient reaches, as parts of the picture.
const GROUND_CENTRE: (f32, f32) = (0.5, 0.42);
const GROUND_REACH: f32 = 0.8;

/// The picture of a drawing on a ground that goes from one shade in the middle to another at the edge.
pub(crate) fn png(drawing: &Pixmap, ground: (Shade, Shade)) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, drawing.width(), drawing.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&compose(drawing, ground)).ok()?;
    writer.finish().ok()?;
    Some(file)
}

/// Red, green and blue of each pixel.
fn compose(drawing: &Pixmap, ground: (Shade, Shade)) -> Vec<u8> {
    let (width, height) = (drawing.width() as usize, drawing.height() as usize);
    let shadow = Shadow::of(drawing);
    let (middle, edge) = (ground.0.0.map(|part| part as f32), ground.1.0.map(|part| part as f32));
    let mut pixels = Vec::with_capacity(width * height * 3);
    for (y, row) in drawing.data().chunks_exact(width * 4).enumerate() {
        let down = (y as f32 / height as f32 - GROUND_CENTRE.1) / GROUND_REACH;
        for (x, pixel) in row.chunks_exact(4).enumerate() {
            let alpha = pixel[3];
            if alpha == u8::MAX {
                pixels.extend_from_slice(&pixel[..3]);
                continue;
            }
            let right = (x as f32 / width as f32 - GROUND_CENTRE.0) / GROUND_REACH;
            let out = (right * right + down * down).sqrt().min(1.0);
            let dark = shadow.at(x as f32, y as f32 - SHADOW_BELOW) * SHADOW_STRENGTH;
            let through = 1.0 - f32::from(alpha) / 255.0;
            for part in 0..3 {
                let bare = middle[part] + (edge[part] - middle[part]) * out;
                let shaded = bare + (SHADOW_COLOUR[part] - bare) * dark;
                // The drawing's colours come multiplied by its alpha.
                let seen = f32::from(pixel[part]) + shaded * through;
                pixels.push((seen + 0.5) as u8);
            }
        }
    }
    pixels
}

/// How much of the light a drawing takes, in coarse cells, smeared.
struct Shadow {
    columns: usize,
    rows: usize,
    cells: Vec<f32>,
}

impl Shadow {
    fn of(drawing: &Pixmap) -> Self {
        let width = drawing.width() as usize;
        let (columns, rows) = (width.div_ceil(CELL), (drawing.height() as usize).div_ceil(CELL));
        let mut cells = vec![0.0; columns * rows];
        for (y, row) in drawing.data().chunks_exact(width * 4).enumerate() {
            for (x, pixel) in row.chunks_exact(4).enumerate() {
                cells[y / CELL * columns + x / CELL] += f32::from(pixel[3]);
            }
        }
        let full = (CELL * CELL) as f32 * 255.0;
        cells.iter_mut().for_each(|cell| *cell /= full);
        let mut shadow = Self { columns, rows, cells };
        // Three times a running mean is close to a Gaussian blur.
        for _ in 0..3 {
            for row in 0..rows {
                shadow.smear(row * columns, 1, columns);
            }
            for column in 0..columns {
                shadow.smear(column, columns, rows);
            }
        }
        shadow
    }

    /// Replaces each of `count` cells, `step` apart, by the mean of its neighbourhood; beyond the ends is light.
    fn smear(&mut self, start: usize, step: usize, count: usize) {
        let line: Vec<f32> = (0..count).map(|place| self.cells[start + place * step]).collect();
        let cells = (2 * SMEAR + 1) as f32;
        for place in 0..count {
            let near = &line[place.saturating_sub(SMEAR)..count.min(place + SMEAR + 1)];
            self.cells[start + place * step] = near.iter().sum::<f32>() / cells;
        }
    }

    /// The shadow at a pixel, between the cells' centres in proportion.
    fn at(&self, x: f32, y: f32) -> f32 {
        let place = |pixel: f32, cells: usize| {
            let cell = ((pixel + 0.5) / CELL as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
            let low = cell as usize;
            (low, (low + 1).min(cells - 1), cell - low as f32)
        };
        let ((left, right, across), (up, down, along)) = (place(x, self.columns), place(y, self.rows));
        let row = |row: usize| {
            let (first, second) =
                (self.cells[row * self.columns + left], self.cells[row * self.columns + right]);
            first + (second - first) * across
        };
        let (first, second) = (row(up), row(down));
        first + (second - first) * along
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use resvg::tiny_skia::{Color, Paint, Rect, Transform};

    #[test]
    fn a_drawing_covers_the_ground_and_darkens_it_below() {
        let mut drawing = Pixmap::new(80, 120).unwrap();
        let mut paint = Paint::default();
        paint.set_color(Color::from_rgba8(200, 10, 10, 255));
        let square = Rect::from_xywh(20.0, 20.0, 40.0, 40.0).unwrap();
        drawing.fill_rect(square, &paint, Transform::identity(), None);
        let white = Shade([250.0; 3]);
        let pixels = compose(&drawing, (white, white));
        let at = |x: usize, y: usize| &pixels[(y * 80 + x) * 3..][..3];
        assert_eq!(at(40, 40), [200, 10, 10]);
        assert!(at(40, 64)[0] < 235, "{:?} is in the shadow", at(40, 64));
        assert!(at(2, 2)[0] >= 249 && at(40, 115)[0] >= 249);
        let file = png(&drawing, (white, white)).unwrap();
        assert_eq!(Pixmap::decode_png(&file).unwrap().width(), 80);
    }
}
