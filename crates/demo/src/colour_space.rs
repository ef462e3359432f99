//! Colours as the eye sees them: Oklab (Björn Ottosson, "A perceptual color space for image
//! processing", 2020), in which the distance of two colours is how different they look.

/// Lightness from 0 to 1, green to red, blue to yellow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Oklab {
    pub lightness: f64,
    pub green_red: f64,
    pub blue_yellow: f64,
}

/// Oklab of an sRGB colour.
pub(crate) fn oklab(srgb: [u8; 3]) -> Oklab {
    let [red, green, blue] = srgb.map(|part| linear(f64::from(part) / 255.0));
    let long = cube_root(0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue);
    let medium = cube_root(0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue);
    let short = cube_root(0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue);
    Oklab {
        lightness: 0.210_454_255_3 * long + 0.793_617_785_0 * medium - 0.004_072_046_8 * short,
        green_red: 1.977_998_495_1 * long - 2.428_592_205_0 * medium + 0.450_593_709_9 * short,
        blue_yellow: 0.025_904_037_1 * long + 0.782_771_766_2 * medium - 0.808_675_766_0 * short,
    }
}

/// sRGB to linear light by the usual cubic fit: `powf` may differ in its last bit between
/// machines, and these numbers end in the demo's data.
fn linear(part: f64) -> f64 {
    part * (part * (part * 0.305_306_011 + 0.682_171_111) + 0.012_522_878)
}

/// Newton's method for the same reason; ten rounds are exact to the last bits for 0 to 1.
fn cube_root(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let mut root = 0.2 + 0.8 * value;
    for _ in 0..10 {
        root -= (root * root * root - value) / (3.0 * root * root);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Oklab, wanted: (f64, f64, f64)) -> bool {
        (found.lightness - wanted.0).abs() < 0.01
            && (found.green_red - wanted.1).abs() < 0.01
            && (found.blue_yellow - wanted.2).abs() < 0.01
    }

    #[test]
    fn known_colours_have_their_known_places() {
        assert!(near(oklab([255, 255, 255]), (1.0, 0.0, 0.0)));
        assert!(near(oklab([0, 0, 0]), (0.0, 0.0, 0.0)));
        assert!(near(oklab([255, 0, 0]), (0.628, 0.225, 0.126)));
        assert!(near(oklab([0, 0, 255]), (0.452, -0.032, -0.312)));
    }
}
