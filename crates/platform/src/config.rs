//! Configuration: a TOML file, then `LASEGUE_` variables over it. An unknown key is refused with what was probably meant.
//!
//! A refusal names the place and never repeats what is written there: it may be a secret.

use std::fmt;
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
    #[error("the configuration file {path} cannot be read{}", advice(.source))]
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

/// What to do about the commonest reasons, which the system's own words do not say.
fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::IsADirectory => {
            ": it is a folder, which Docker makes where the file that LASEGUE_CONFIG names is missing. Remove it and write the file"
        }
        std::io::ErrorKind::PermissionDenied => {
            ": let the account of this process read it, in containers with `chown 10001`"
        }
        _ => "",
    }
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
    let mut table: Table = toml::from_str(&text).map_err(|error| invalid(&origin, &text, &error))?;
    // First the file alone, so that its errors show the line.
    if !text.is_empty() {
        toml::from_str::<T>(&text).map_err(|error| invalid(&origin, &text, &error))?;
    }
    let ours = |(name, value): &(String, String)| name.starts_with(PREFIX) && !is_of_kubernetes(name, value);
    let mut over = environment.into_iter().filter(ours).collect::<Vec<_>>();
    over.sort();
    let names: Vec<_> = over.iter().map(|(name, _)| name.as_str()).collect();
    let origin = if names.is_empty() { origin } else { format!("{origin} with {}", names.join(", ")) };
    for (name, value) in &over {
        set(&mut table, name, value);
    }
    T::deserialize(Value::Table(table)).map_err(|error| invalid(&origin, "", &error))
}

/// Reads a configuration from its text alone.
///
/// # Errors
/// When a key or value is not understood.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| invalid("", text, &error))
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

/// Whether Kubernetes has set the variable: beside every service that is named `lasegue` or `lasegue-...` it tells each
/// container where that one listens (`LASEGUE_PORT`, `LASEGUE_SERVICE_HOST`, `LASEGUE_WEB_PORT_8080_TCP_ADDR`).
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let numbered = || name.split("_PORT_").skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
        || numbered()
}

/// The refusal of `text`, by its line and without what it says.
fn invalid(origin: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let place = error.span().and_then(|span| place(text, span.start)).unwrap_or_default();
    let reason = match Told::of(error.message()) {
        Some(told) => format!("{place}{told}"),
        None => format!("{place}{}", error.message()),
    };
    ConfigError::Invalid { origin: origin.to_owned(), reason }
}

fn place(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at).filter(|_| !text.is_empty())?;
    let (line, column) =
        (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
    Some(format!("line {line}, column {column}: "))
}

/// A message of serde's that repeats what it found: `invalid type: string "5", expected u32`.
struct Told<'a> {
    /// `invalid type: string`.
    what: &'a str,
    /// `5`.
    found: &'a str,
    /// `u32`, or the keys or words that are possible.
    expected: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(message: &'a str) -> Option<Self> {
        let repeats = ["invalid type: ", "invalid value: ", "unknown field ", "unknown variant "];
        if !repeats.iter().any(|beginning| message.starts_with(beginning)) {
            return None;
        }
        let (told, expected) =
            message.rsplit_once(", expected ").map_or((message, None), |(told, expected)| (told, Some(expected)));
        let (what, found) = told.split_once(['"', '`']).unwrap_or((told, ""));
        Some(Self { what: what.trim_end(), found: found.trim_end_matches(['"', '`']), expected })
    }

    /// The known key most like the unknown one.
    fn meant(&self) -> Option<&'a str> {
        let known = self.expected.filter(|_| self.what == "unknown field")?.split('`').skip(1).step_by(2);
        known
            .map(|known| (strsim::jaro_winkler(self.found, known), known))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, known)| known)
    }
}

impl fmt::Display for Told<'_> {
    /// Without what was found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.expected.map_or(Ok(()), |expected| write!(f, ", expected {expected}"))?;
        self.meant().map_or(Ok(()), |meant| write!(f, "\nDid you mean `{meant}`?"))
    }
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

    #[test]
    fn a_refusal_names_the_line_and_nothing_of_what_is_written_there() {
        for text in [
            "data = \"x\"\n[http]\nbody = \"s3cret\"",
            "data = \"x\"\n\nhttp = [{ listen = \"s3cret\" }]",
            "data = \"x\"\n[http]\nlissten = \"s3cret\"",
            "data = \"x\"\n[http]\nlisten = \"s3cret",
            "data = \"x\"\n[http]\nlisten = s3cret",
        ] {
            let refusal = load_text(text, &[]).expect_err(text);
            assert!(refusal.contains("line 3, column ") && !refusal.contains("s3cret"), "{refusal}");
        }
        let refusal = load_text("", &[("LASEGUE_HTTP", "s3cret")]).expect_err("no table");
        assert!(refusal.contains("LASEGUE_HTTP") && !refusal.contains("s3cret"), "{refusal}");
    }

    #[test]
    fn what_kubernetes_sets_beside_a_service_of_our_name_is_not_for_us() {
        let theirs = [
            ("LASEGUE_PORT", "tcp://10.0.0.1:8080"),
            ("LASEGUE_SERVICE_HOST", "10.0.0.1"),
            ("LASEGUE_SERVICE_PORT", "8080"),
            ("LASEGUE_SERVICE_PORT_HTTP", "8080"),
            ("LASEGUE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("LASEGUE_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("LASEGUE_WEB_SERVICE_HOST", "10.0.0.1"),
            ("LASEGUE_WEB_PORT", "tcp://10.0.0.1:8080"),
            ("LASEGUE_WEB_PORT_8080_TCP_PROTO", "tcp"),
        ];
        assert_eq!(load_text("", &theirs), Ok(Settings::default()));
        assert!(load_text("", &[("LASEGUE_PORT", "8080")]).is_err(), "that is a mistake of ours");
    }
}
