//! Thresholds: exact values with a unit, within the bounds that the file declares safe.

use crate::facts::Unit;
use crate::logic::Ratio;
use crate::record::Dermatome;
use crate::word::Word;

use super::{Threshold, file};

impl Threshold {
    pub(super) fn of(name: &str, written: &file::Threshold) -> Result<Self, String> {
        let Some(unit) = Unit::from_word(&written.unit) else {
            return Err(format!("threshold {name}: \"{}\" is no unit", written.unit));
        };
        let read = |value: &toml::Value| {
            number(value, unit)
                .ok_or_else(|| format!("threshold {name}: {value} is no number of {unit} with at most six decimals"))
        };
        let [least, most] = &written.safe;
        let (value, least, most) = (read(&written.value)?, read(least)?, read(most)?);
        Ok(Self {
            name: name.to_owned(),
            value,
            unit,
            safe: (least, most),
            meaning: written.meaning.clone(),
            cites: written.cites.clone(),
        })
    }

    /// The reason to refuse the value when it is out of its bounds.
    pub(super) fn danger(&self, written: &file::Threshold) -> Option<String> {
        let (least, most) = self.safe;
        let safe = (least..=most).contains(&self.value);
        (!safe).then(|| {
            format!(
                "threshold {} is {}, which is not safe: {}; allowed is {} to {} {}",
                self.name, written.value, self.meaning, written.safe[0], written.safe[1], self.unit,
            )
        })
    }
}

fn number(value: &toml::Value, unit: Unit) -> Option<Ratio> {
    match (value, unit) {
        (toml::Value::String(root), Unit::Root) => Some(Ratio::whole(Dermatome::from_word(root)? as i64)),
        (toml::Value::Integer(number), _) if unit != Unit::Root => {
            (number.abs() <= 1_000_000).then(|| Ratio::whole(*number))
        }
        (toml::Value::Float(number), _) if unit != Unit::Root && number.abs() <= 1e6 => {
            Ratio::decimal(&number.to_string())
        }
        _ => None,
    }
}

/// A number of a unit, for people.
pub(crate) fn in_words(number: Ratio, unit: Unit) -> String {
    match unit {
        Unit::Count | Unit::Grade => number.to_string(),
        Unit::Percent => format!("{number} %"),
        Unit::Celsius => format!("{number} °C"),
        Unit::Degrees => format!("{number}°"),
        Unit::Root => {
            let index = usize::try_from(number.floor()).ok();
            let root = index.and_then(|index| Dermatome::ALL.get(index));
            root.map_or_else(|| number.to_string(), ToString::to_string)
        }
        Unit::Millimetres | Unit::Points | Unit::Days | Unit::Years | Unit::Millilitres => {
            format!("{number} {unit}")
        }
    }
}
