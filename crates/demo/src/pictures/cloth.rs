//! Cloth: what surfaces are filled with, plain, shining or patterned.

use std::fmt::Write;

use super::palette::{Palette, Shade};
use crate::catalogue::reference::{Finish, Pattern};

/// The fills `cloth`, `cloth-left`, `cloth-right` and `cloth-across` of a drawing: the same
/// cloth lying straight, on a left and a right sleeve, and across.
const TURNS: [(&str, i32); 4] =
    [("cloth", 0), ("cloth-left", 28), ("cloth-right", -28), ("cloth-across", 90)];

/// The colours of a cloth of many.
const RAINBOW: [&str; 6] = ["#d9534f", "#f0ad4e", "#f7e36d", "#5cb85c", "#4a90d9", "#8e6bbf"];

/// SVG definitions of the fills.
pub(crate) fn definitions(palette: &Palette, pattern: Pattern) -> String {
    let mut svg = String::new();
    let tile = match (palette.finish, pattern) {
        (Finish::Metal, _) => None,
        (Finish::Multi, Pattern::Solid) => Some(rainbow()),
        _ => tile(palette, pattern),
    };
    for (id, turn) in TURNS {
        // Writing to a string cannot fail.
        let _ = match &tile {
            Some((width, height, content)) => write!(
                svg,
                "<pattern id=\"{id}\" width=\"{width}\" height=\"{height}\" patternUnits=\"userSpaceOnUse\" \
                 patternTransform=\"rotate({turn})\">{content}</pattern>"
            ),
            None if palette.finish == Finish::Metal => write!(
                svg,
                "<linearGradient id=\"{id}\" x2=\"1\" y2=\".35\">{}</linearGradient>",
                metal_stops(palette)
            ),
            None => write!(
                svg,
                "<linearGradient id=\"{id}\"><stop stop-color=\"{}\"/></linearGradient>",
                palette.cloth
            ),
        };
    }
    svg
}

fn metal_stops(palette: &Palette) -> String {
    let Palette { cloth, dark, light, .. } = palette;
    [(0.0, dark), (0.25, light), (0.45, cloth), (0.62, light), (0.8, cloth), (1.0, dark)]
        .map(|(offset, shade)| format!("<stop offset=\"{offset}\" stop-color=\"{shade}\"/>"))
        .concat()
}

fn rainbow() -> (u32, u32, String) {
    let stripe = |(place, colour): (usize, &&str)| {
        format!("<rect y=\"{}\" width=\"72\" height=\"12.5\" fill=\"{colour}\"/>", place * 12)
    };
    (72, 72, RAINBOW.iter().enumerate().map(stripe).collect())
}

/// Width, height and content of a pattern's tile; `None` for plain cloth.
fn tile(palette: &Palette, pattern: Pattern) -> Option<(u32, u32, String)> {
    let Palette { cloth, accent, second, .. } = palette;
    Some(match pattern {
        Pattern::Solid | Pattern::Colourblock => return None,
        Pattern::Striped => (
            24,
            24,
            format!(
                "<rect width=\"24\" height=\"24\" fill=\"{cloth}\"/><rect width=\"24\" height=\"9\" fill=\"{accent}\"/>\
                 <rect y=\"15\" width=\"24\" height=\"2\" fill=\"{second}\"/>"
            ),
        ),
        Pattern::Checked => (
            36,
            36,
            format!(
                "<rect width=\"36\" height=\"36\" fill=\"{cloth}\"/>\
                 <path d=\"M0 0h14v36H0zM0 0h36v14H0z\" fill=\"{second}\" fill-opacity=\".4\"/>\
                 <path d=\"M0 0h14v14H0z\" fill=\"{second}\" fill-opacity=\".4\"/>\
                 <path d=\"M23 0h2.500v36H23zM0 23h36v2.500H0z\" fill=\"{accent}\" fill-opacity=\".8\"/>"
            ),
        ),
        Pattern::Dotted => (
            26,
            26,
            format!(
                "<rect width=\"26\" height=\"26\" fill=\"{cloth}\"/><circle cx=\"6.500\" cy=\"6.500\" r=\"4.200\" fill=\"{accent}\"/>\
                 <circle cx=\"19.500\" cy=\"19.500\" r=\"4.200\" fill=\"{accent}\"/>"
            ),
        ),
        Pattern::Floral => (56, 56, flowers(palette)),
        Pattern::Printed => (34, 48, diamonds(palette)),
    })
}

fn flowers(palette: &Palette) -> String {
    const PETALS: [(f64, f64); 5] = [(0.0, -1.0), (0.95, -0.31), (0.59, 0.81), (-0.59, 0.81), (-0.95, -0.31)];
    let flower = |x: f64, y: f64, size: f64, petal: Shade, middle: &str| {
        let petals = PETALS.map(|(dx, dy)| {
            let (x, y, r) = (x + size * dx, y + size * dy, size * 0.72);
            format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\" fill=\"{petal}\"/>")
        });
        let r = size * 0.6;
        petals.concat() + &format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r:.1}\" fill=\"{middle}\"/>")
    };
    let third = if palette.brightness < 0.6 { palette.light } else { palette.second };
    [
        format!("<rect width=\"56\" height=\"56\" fill=\"{}\"/>", palette.cloth),
        "<path d=\"M14 26q8 6 4 14M44 44q-8-2-12-10\" stroke=\"#4f7a4d\" stroke-width=\"2\" fill=\"none\" stroke-opacity=\".8\"/>\
         <g fill=\"#4f7a4d\" fill-opacity=\".75\"><ellipse cx=\"24\" cy=\"36\" rx=\"5\" ry=\"2.400\" transform=\"rotate(35 24 36)\"/>\
         <ellipse cx=\"50\" cy=\"26\" rx=\"5\" ry=\"2.400\" transform=\"rotate(-50 50 26)\"/></g>"
            .to_owned(),
        flower(14.0, 15.0, 5.5, palette.accent, "#e9b949"),
        flower(42.0, 42.0, 6.5, third, "#f4dd9a"),
        flower(44.0, 12.0, 3.4, palette.second, "#f4dd9a"),
    ]
    .concat()
}

fn diamonds(palette: &Palette) -> String {
    let Palette { cloth, accent, second, .. } = palette;
    let diamond = |half: f64, shade: &Shade| {
        let (top, bottom, left, right) = (24.0 - half, 24.0 + half, 17.0 - half * 0.72, 17.0 + half * 0.72);
        format!("<path d=\"M17 {top}L{right:.1} 24L17 {bottom}L{left:.1} 24Z\" fill=\"{shade}\"/>")
    };
    let star = |x: i32, y: i32| {
        format!(
            "<path d=\"M{x} {}v10M{} {y}h10\" stroke=\"{accent}\" stroke-width=\"2\"/>\
             <circle cx=\"{x}\" cy=\"{y}\" r=\"2.400\" fill=\"{second}\"/>",
            y - 5,
            x - 5
        )
    };
    [
        format!("<rect width=\"34\" height=\"48\" fill=\"{cloth}\"/>"),
        diamond(17.0, accent),
        diamond(12.0, cloth),
        diamond(8.5, second),
        diamond(3.6, accent),
        star(0, 0),
        star(34, 0),
        star(0, 48),
        star(34, 48),
    ]
    .concat()
}
