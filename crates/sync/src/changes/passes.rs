//! Passes over the same rows when not all of them can be held at a time: each deals with a part of them.

/// More parts than this are not made.
const MOST_BITS: u32 = 24;

/// Divides numbers that are spread evenly into as many parts as are needed, by their lowest bits. The first pass finds
/// out how many.
pub(super) struct Passes {
    /// so many bits tell the parts apart
    bits: u32,
    pass: u64,
    /// what is held in one pass
    most: usize,
}

impl Passes {
    /// A single pass, as long as no more than `most` are held.
    pub(super) fn new(most: usize) -> Self {
        Self { bits: 0, pass: 0, most }
    }

    /// Whether a number belongs to this pass.
    pub(super) fn takes(&self, number: u64) -> bool {
        number & ((1 << self.bits) - 1) == self.pass
    }

    /// Whether too many are held now. If so, passes take half as much from here on, and what this one no longer takes
    /// is to be let go.
    pub(super) fn divide(&mut self, held: usize) -> bool {
        let divides = held > self.most && self.bits < MOST_BITS;
        self.bits += u32::from(divides);
        divides
    }

    pub(super) fn is_first(&self) -> bool {
        self.pass == 0
    }

    /// Goes on to the next pass; false when all parts have had theirs.
    pub(super) fn go_on(&mut self) -> bool {
        self.pass += 1;
        self.pass < 1 << self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_pass() {
        let mut passes = Passes::new(100);
        assert!(!passes.divide(100));
        while passes.divide(101) && passes.bits < 3 {}
        let mut taken = 0;
        loop {
            taken += (0..1000).filter(|&number| passes.takes(number)).count();
            if !passes.go_on() {
                break;
            }
        }
        assert_eq!((taken, passes.pass), (1000, 8));
    }
}
