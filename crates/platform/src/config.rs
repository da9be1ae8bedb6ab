//! Configuration: a TOML file, then `LASEGUE_` variables over it. An unknown key is refused with what was probably meant.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Variables with this prefix belong to us; `__` separates the levels: `LASEGUE_HTTP__LISTEN`.
const PREFIX: &str = "LASEGUE_";
/// How alike two keys must be for one to be suggested for the other.
const ALIKE: f64 = 0.7;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file, or a variable over it, is not what is expected.
    #[error("the configuration{origin} is not understood: {reason}")]
    Invalid {
        /// Where it came from.
        origin: String,
        /// What is wrong, where, and what is allowed.
        reason: String,
    },
}

/// Reads a configuration: `file` if given, then the variables among `environment` that begin with `LASEGUE_`.
///
/// # Errors
/// When the file cannot be read, or a key or value is not understood.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let text = match file {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?
        }
        None => String::new(),
    };
    let origin = file.map(|path| format!(" file {}", path.display())).unwrap_or_default();
    let mut table: Table = toml::from_str(&text).map_err(|error| invalid(&origin, &error))?;
    // First the file alone, so that its errors show the line.
    if !text.is_empty() {
        toml::from_str::<T>(&text).map_err(|error| invalid(&origin, &error))?;
    }
    let mut over = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect::<Vec<_>>();
    over.sort();
    let names: Vec<_> = over.iter().map(|(name, _)| name.as_str()).collect();
    let origin = if names.is_empty() { origin } else { format!("{origin} with {}", names.join(", ")) };
    for (name, value) in &over {
        set(&mut table, name, value);
    }
    T::deserialize(Value::Table(table)).map_err(|error| invalid(&origin, &error))
}

/// Reads a configuration from its text alone.
///
/// # Errors
/// When a key or value is not understood.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| invalid("", &error))
}

/// Puts a variable's value where its name says: as a TOML value if it is one, else as text.
fn set(table: &mut Table, name: &str, value: &str) {
    let path = name.trim_start_matches(PREFIX).to_ascii_lowercase();
    let mut keys: Vec<_> = path.split("__").collect();
    let Some(last) = keys.pop() else { return };
    let mut level = table;
    for key in keys {
        let inner = level.entry(key).or_insert_with(|| Value::Table(Table::new()));
        if !inner.is_table() {
            *inner = Value::Table(Table::new());
        }
        let Value::Table(inner) = inner else { return };
        level = inner;
    }
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().and_then(|mut table| table.remove("value"));
    level.insert(last.to_owned(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
}

fn invalid(origin: &str, error: &toml::de::Error) -> ConfigError {
    let text = error.to_string();
    let reason = match suggestion(error.message()) {
        Some(meant) => format!("{}\nDid you mean `{meant}`?", text.trim_end()),
        None => text.trim_end().to_owned(),
    };
    ConfigError::Invalid { origin: origin.to_owned(), reason }
}

/// The known key most like the unknown one, read from serde's "unknown field `x`, expected one of `a`, `b`".
fn suggestion(message: &str) -> Option<&str> {
    let mut quoted = message.strip_prefix("unknown field")?.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        data: String,
        http: Http,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Http {
        listen: String,
        body: u32,
    }

    fn load_text(text: &str, over: &[(&str, &str)]) -> Result<Settings, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it is written");
        let over = over.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(Some(file.path()), over).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_stand_over_the_file() {
        let settings = load_text(
            "data = \"a\"\n[http]\nlisten = \"one\"\nbody = 1",
            &[("LASEGUE_HTTP__BODY", "2"), ("LASEGUE_HTTP__LISTEN", "127.0.0.1:80"), ("PATH", "x")],
        );
        let http = Http { listen: "127.0.0.1:80".to_owned(), body: 2 };
        assert_eq!(settings, Ok(Settings { data: "a".to_owned(), http }));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_what_was_meant() {
        let refusal = load_text("[http]\nlissten = \"x\"", &[]).expect_err("there is no such key");
        assert!(refusal.contains("line 2") && refusal.contains("Did you mean `listen`?"), "{refusal}");
    }

    #[test]
    fn an_unknown_variable_is_refused_too() {
        let refusal = load_text("", &[("LASEGUE_HTTP__LISTN", "x")]).expect_err("there is no such key");
        assert!(refusal.contains("LASEGUE_HTTP__LISTN") && refusal.contains("Did you mean `listen`?"), "{refusal}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_with_what_is_allowed() {
        let refusal = load_text("[http]\nbody = \"large\"", &[]).expect_err("no number");
        assert!(refusal.contains("line 2") && refusal.contains("expected u32"), "{refusal}");
    }
}
