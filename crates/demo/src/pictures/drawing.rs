//! Draws a look: the silhouette of its article in its cloth, on a soft ground, as PNG.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::art;
use super::cloth;
use super::palette::Palette;
use crate::catalogue::reference::Pattern;
use crate::look::Look;

/// Pixels of a picture.
pub(crate) const WIDTH: u32 = 360;
pub(crate) const HEIGHT: u32 = 480;

/// Light and metal that all drawings share.
const SHARED: &str = include_str!("../../data/shading.svg");

/// The picture of a look as PNG, `None` when a drawing is no valid SVG, which the tests exclude.
pub(crate) fn render(look: &Look) -> Option<Vec<u8>> {
    let tree = Tree::from_str(&svg(look)?, &Options::default()).ok()?;
    let mut pixels = Pixmap::new(WIDTH, HEIGHT)?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().ok()
}

fn svg(look: &Look) -> Option<String> {
    let palette = Palette::of(look.colour());
    let drawing = art::drawing(look.drawing())?;
    let has = |class: &str| drawing.contains(class);
    // A print on the chest where the drawing has one, all over where it has not.
    let show_motif = look.pattern == Pattern::Printed && has("class=\"motif\"");
    let show_block = look.pattern == Pattern::Colourblock;
    let pattern = if show_motif || show_block { Pattern::Solid } else { look.pattern };
    let (middle, edge) = palette.ground();
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\
         <style>{style}</style><defs>\
         <radialGradient id=\"ground\" cx=\".5\" cy=\".42\" r=\".8\"><stop stop-color=\"{middle}\"/><stop offset=\"1\" stop-color=\"{edge}\"/></radialGradient>\
         {SHARED}{cloth}</defs>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"url(#ground)\"/><g filter=\"url(#soft)\">{drawing}</g></svg>",
        style = palette.stylesheet(show_motif, show_block),
        cloth = cloth::definitions(&palette, pattern),
    ))
}
