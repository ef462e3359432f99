//! Draws a look: the silhouette of its article in its cloth.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::art;
use super::cloth;
use super::palette::Palette;
use super::scene;
use crate::catalogue::reference::Pattern;
use crate::look::Look;

/// Pixels of a picture.
pub(crate) const WIDTH: u32 = 360;
pub(crate) const HEIGHT: u32 = 480;

/// Light and metal that all drawings share.
const SHARED: &str = include_str!("../../data/shading.svg");

/// The picture of a look as PNG, `None` when a drawing is no valid SVG, which the tests exclude.
pub(crate) fn render(look: &Look) -> Option<Vec<u8>> {
    let palette = Palette::of(look.colour());
    let tree = Tree::from_str(&svg(look, &palette)?, &Options::default()).ok()?;
    let mut pixels = Pixmap::new(WIDTH, HEIGHT)?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    scene::png(&pixels, palette.ground())
}

/// The drawing on nothing.
fn svg(look: &Look, palette: &Palette) -> Option<String> {
    let drawing = art::drawing(look.drawing())?;
    let has = |class: &str| drawing.contains(class);
    // A print on the chest where the drawing has one, all over where it has not.
    let show_motif = look.pattern == Pattern::Printed && has("class=\"motif\"");
    let show_block = look.pattern == Pattern::Colourblock;
    let pattern = if show_motif || show_block { Pattern::Solid } else { look.pattern };
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\
         <style>{style}</style><defs>{SHARED}{cloth}</defs>{drawing}</svg>",
        style = palette.stylesheet(show_motif, show_block),
        cloth = cloth::definitions(palette, pattern),
    ))
}
