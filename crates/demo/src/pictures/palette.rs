//! The shades that a drawing is painted in, all made from a product's one colour.

use std::fmt;

use crate::catalogue::reference::{Colour, Finish};

/// Near black and near white: pure ones look printed, not sewn.
const SHADOW: Shade = Shade([20.0, 16.0, 22.0]);
const LIGHT: Shade = Shade([255.0, 253.0, 250.0]);
/// Above this brightness a colour needs a darker ground to stand out from.
const BRIGHT: f64 = 0.72;

/// A colour of the sRGB space, parts from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shade(pub [f64; 3]);

impl Shade {
    fn of(srgb: [u8; 3]) -> Self {
        Self(srgb.map(f64::from))
    }

    /// This much of the way to another colour.
    fn towards(self, other: Self, part: f64) -> Self {
        let mut mixed = self.0;
        for (own, other) in mixed.iter_mut().zip(other.0) {
            *own += (other - *own) * part;
        }
        Self(mixed)
    }

    /// From 0 for black to 1 for white.
    fn brightness(self) -> f64 {
        let [red, green, blue] = self.0;
        (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0
    }
}

impl fmt::Display for Shade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0.map(|part| part.round().clamp(0.0, 255.0) as u8);
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The shades of one product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    pub cloth: Shade,
    pub dark: Shade,
    pub deep: Shade,
    pub light: Shade,
    /// What stripes, prints and trims are in.
    pub accent: Shade,
    /// A second colour beside the accent.
    pub second: Shade,
    pub brightness: f64,
    pub finish: Finish,
}

impl Palette {
    pub fn of(colour: &Colour) -> Self {
        let cloth = Shade::of(colour.srgb);
        let brightness = cloth.brightness();
        let accent = if brightness > 0.78 {
            cloth.towards(Shade([60.0, 70.0, 100.0]), 0.75)
        } else {
            cloth.towards(LIGHT, 0.80)
        };
        let second = if brightness > 0.45 {
            cloth.towards(Shade([30.0, 26.0, 40.0]), 0.62)
        } else {
            cloth.towards(LIGHT, 0.45)
        };
        Self {
            cloth,
            dark: cloth.towards(SHADOW, 0.30),
            deep: cloth.towards(SHADOW, 0.62),
            light: cloth.towards(LIGHT, 0.35),
            accent,
            second,
            brightness,
            finish: colour.finish,
        }
    }

    /// The ground's shades, in the middle and at the edge: a breath of the product's own colour.
    pub fn ground(&self) -> (Shade, Shade) {
        let (middle, edge) = if self.brightness < BRIGHT {
            ([251.0, 250.0, 248.0], [233.0, 230.0, 225.0])
        } else {
            ([230.0, 228.0, 225.0], [201.0, 199.0, 196.0])
        };
        (Shade(middle).towards(self.cloth, 0.04), Shade(edge).towards(self.cloth, 0.09))
    }

    /// What the classes of a drawing look like.
    pub fn stylesheet(&self, show_motif: bool, show_block: bool) -> String {
        let Self { cloth, dark, deep, light, accent, second, .. } = self;
        let edge = if self.brightness > 0.75 { ".45" } else { ".35" };
        let shown = |show: bool| if show { "inline" } else { "none" };
        let (motif, block) = (shown(show_motif), shown(show_block));
        let round = "stroke-linecap:round;stroke-linejoin:round";
        format!(
            ".c{{fill:url(#cloth)}}.cl{{fill:url(#cloth-left)}}.cr{{fill:url(#cloth-right)}}\
             .ch{{fill:url(#cloth-across)}}.p{{fill:{cloth}}}.d{{fill:{dark}}}.dd{{fill:{deep}}}\
             .l{{fill:{light}}}.a{{fill:{accent}}}.b{{fill:{second}}}\
             .sheen{{fill:url(#sheen)}}.drop{{fill:url(#drop)}}.round{{fill:url(#round)}}\
             .e{{fill:none;stroke:{deep};stroke-opacity:{edge};stroke-width:1.4;{round}}}\
             .ln{{fill:none;stroke:{deep};stroke-opacity:.55;stroke-width:1.5;{round}}}\
             .st{{fill:none;stroke:{accent};stroke-opacity:.7;stroke-width:1.3;stroke-dasharray:4 3}}\
             .strap{{fill:none;stroke:{cloth};{round}}}.strapd{{fill:none;stroke:{dark};{round}}}\
             .s{{fill:#000;fill-opacity:.11}}.h{{fill:#fff;fill-opacity:.2}}\
             .fold{{fill:none;stroke:#000;stroke-opacity:.1;stroke-width:4;{round}}}\
             .glint{{fill:none;stroke:#fff;stroke-opacity:.28;stroke-width:4;{round}}}\
             .m{{fill:url(#steel)}}.ms{{fill:none;stroke:url(#steel)}}\
             .g{{fill:url(#gold)}}.gs{{fill:none;stroke:url(#gold)}}\
             .w{{fill:#f6f4ef}}.k{{fill:#2a292d}}.tan{{fill:#b98a5e}}.glass{{fill:url(#glass)}}\
             .paper{{fill:#fbf8f1}}.motif{{display:{motif}}}.block{{display:{block}}}"
        )
    }
}
