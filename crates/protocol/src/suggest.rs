//! Suggestions for misspelt names.

/// Names less alike than this are not worth suggesting.
pub(crate) const ALIKE: f64 = 0.75;

/// The longest name that may be a misspelt one, in characters. Comparing takes as long as the name is, so a longer one is
/// not compared at all.
const LONGEST: usize = 64;

/// The candidate most like `name`, when one is like it at all.
pub(crate) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if name.chars().nth(LONGEST).is_some() {
        return None;
    }
    candidates
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_to_be_misspelt_is_compared_with_nothing() {
        let name = |length: usize| "x".repeat(length);
        assert_eq!(nearest(&name(LONGEST), [name(LONGEST - 1).as_str()].into_iter()), Some(&*name(LONGEST - 1)));
        assert_eq!(nearest(&name(LONGEST + 1), [name(LONGEST + 1).as_str()].into_iter()), None);
    }
}
