//! Exact rational numbers, small enough that every product fits; no floating point anywhere.

use std::cmp::Ordering;
use std::fmt;

/// A reduced fraction with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ratio {
    numerator: i64,
    denominator: i64,
}

impl Ratio {
    /// `numerator / denominator`; nothing for a zero denominator or a number out of reach.
    pub(crate) fn new(numerator: i64, denominator: i64) -> Option<Self> {
        Self::reduced(i128::from(numerator), i128::from(denominator))
    }

    pub(crate) const fn whole(number: i64) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    /// Reads a plain decimal numeral of at most six decimals, as `38.0`.
    pub(crate) fn decimal(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(part) || part.len() > 6 {
            return None;
        }
        let scale = 10_i64.pow(u32::try_from(part.len()).ok()?);
        Self::new(format!("{whole}{part}").parse().ok()?, scale)
    }

    pub(crate) fn add(self, other: Self) -> Option<Self> {
        let (left, right) = self.crossed(other);
        Self::reduced(left.checked_add(right)?, self.denominators(other))
    }

    pub(crate) fn subtract(self, other: Self) -> Option<Self> {
        let (left, right) = self.crossed(other);
        Self::reduced(left.checked_sub(right)?, self.denominators(other))
    }

    pub(crate) fn multiply(self, other: Self) -> Option<Self> {
        let numerator = i128::from(self.numerator) * i128::from(other.numerator);
        Self::reduced(numerator, self.denominators(other))
    }

    /// Nothing for a zero divisor.
    pub(crate) fn divide(self, by: Self) -> Option<Self> {
        let numerator = i128::from(self.numerator) * i128::from(by.denominator);
        let denominator = i128::from(self.denominator) * i128::from(by.numerator);
        Self::reduced(numerator, denominator)
    }

    /// The greatest whole number that is not above this one.
    pub(crate) const fn floor(self) -> i64 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The nearest tenth, halves upwards, for showing only.
    pub(crate) fn tenths(self) -> i64 {
        let twenty = i128::from(self.numerator) * 20 + i128::from(self.denominator);
        let tenths = twenty.div_euclid(2 * i128::from(self.denominator));
        i64::try_from(tenths).unwrap_or(i64::MAX)
    }

    fn crossed(self, other: Self) -> (i128, i128) {
        let left = i128::from(self.numerator) * i128::from(other.denominator);
        let right = i128::from(other.numerator) * i128::from(self.denominator);
        (left, right)
    }

    fn denominators(self, other: Self) -> i128 {
        i128::from(self.denominator) * i128::from(other.denominator)
    }

    fn reduced(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let by = divisor(numerator.abs(), denominator.abs()) * denominator.signum();
        Some(Self {
            numerator: i64::try_from(numerator / by).ok()?,
            denominator: i64::try_from(denominator / by).ok()?,
        })
    }
}

fn divisor(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.denominator == other.denominator {
            return self.numerator.cmp(&other.numerator);
        }
        let (left, right) = self.crossed(*other);
        left.cmp(&right)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// At most one decimal, for people.
impl fmt::Display for Ratio {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.tenths();
        let sign = if tenths < 0 { "-" } else { "" };
        let (whole, tenth) = (tenths.abs() / 10, tenths.abs() % 10);
        match tenth {
            0 => write!(out, "{sign}{whole}"),
            _ => write!(out, "{sign}{whole}.{tenth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Ratio;

    fn ratio(numerator: i64, denominator: i64) -> Ratio {
        Ratio::new(numerator, denominator).expect("a small fraction")
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(Ratio::decimal("38.0"), Some(Ratio::whole(38)));
        assert_eq!(Ratio::decimal("-0.25"), Some(ratio(-1, 4)));
        for wrong in ["", ".5.", "1e3", "1.2345678", "--1", "+1", "a"] {
            assert_eq!(Ratio::decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn people_see_one_decimal_at_most() {
        let shown = [(440, 9, "48.9"), (40, 1, "40"), (-1, 3, "-0.3"), (1, 20, "0.1")];
        for (numerator, denominator, text) in shown {
            assert_eq!(ratio(numerator, denominator).to_string(), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_no_number() {
        assert_eq!(Ratio::new(1, 0), None);
        assert_eq!(Ratio::whole(i64::MAX).add(Ratio::whole(1)), None);
        assert_eq!(Ratio::whole(i64::MAX).multiply(Ratio::whole(2)), None);
        assert_eq!(Ratio::whole(i64::MIN).subtract(Ratio::whole(1)), None);
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_whole_numbers(
            (a, b, c) in (-999_i64..999, -999_i64..999, 1_i64..99)
        ) {
            let (x, y) = (ratio(a, c), ratio(b, c));
            prop_assert_eq!(x.add(y), Ratio::new(a + b, c));
            prop_assert_eq!(x.subtract(y), Ratio::new(a - b, c));
            prop_assert_eq!(x.multiply(y), Ratio::new(a * b, c * c));
            prop_assert_eq!(x.divide(y), Ratio::new(a, b));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.cmp(&Ratio::whole(b)), a.cmp(&(b * c)));
            prop_assert_eq!(x.floor(), a.div_euclid(c));
        }
    }
}
