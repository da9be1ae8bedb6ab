//! Lowering definitions: each after those that it uses.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::facts::Unit;
use crate::rules::{Definition, Domain, Lowered, Meaning, Mistake, Scope, Shape, lower};
use crate::word::Word;

use super::load::Loader;
use super::{DefinitionNote, file};

/// Lowers all definitions into the loader's names; whether it could. What only follows from a
/// mistake elsewhere is not reported.
pub(super) fn define(loader: &mut Loader, written: &BTreeMap<String, Spanned<file::Definition>>) -> bool {
    let mut waiting: Vec<_> = written.iter().collect();
    loop {
        let before = waiting.len();
        waiting.retain(|(name, definition)| !define_one(loader, name, definition.get_ref()));
        if waiting.len() == before {
            break;
        }
    }
    let follows = |(name, definition): &(&String, &Spanned<file::Definition>)| {
        let others = waiting.iter().filter(|(other, _)| other != name);
        let words = words(definition.get_ref().is.get_ref());
        others.map(|(other, _)| other.as_str()).any(|other| words.contains(&other))
    };
    let mut roots: Vec<_> = waiting.iter().filter(|entry| !follows(entry)).copied().collect();
    if roots.is_empty() {
        roots.clone_from(&waiting);
    }
    for (name, definition) in roots {
        let text = &definition.get_ref().is;
        if let Err(mistake) = lowered(loader, definition.get_ref()) {
            loader.mistake::<()>(text, &mistake, &format!("definition {name}"));
        }
    }
    waiting.is_empty()
}

/// The names in an expression.
fn words(text: &str) -> Vec<&str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').collect()
}

fn define_one(loader: &mut Loader, name: &str, written: &file::Definition) -> bool {
    let Ok((definition, shape)) = lowered(loader, written) else {
        return false;
    };
    loader.names.definitions.push(definition);
    loader.names.shapes.push(shape);
    loader.names.notes.push(DefinitionNote {
        name: name.to_owned(),
        text: written.is.get_ref().trim().to_owned(),
        meaning: written.meaning.clone(),
    });
    true
}

fn lowered(loader: &Loader, written: &file::Definition) -> Result<(Definition, Shape), Mistake> {
    let text = written.is.get_ref();
    let Some(among) = &written.among else {
        let whole = lower(text, Scope::Visit, &loader.names);
        if whole.is_ok() || !text.contains("side.") {
            return Ok(plain(whole?, false));
        }
        return Ok(plain(lower(text, Scope::Side, &loader.names)?, true));
    };
    let Some(domain) = Domain::from_word(among) else {
        return Err(Mistake::at(0, format!("\"{among}\" is no kind of place")));
    };
    match lower(text, Scope::Place(domain), &loader.names)? {
        Lowered::Truth(cond) => {
            let meaning = Meaning::Selection(domain, cond);
            let sided = domain.is_sided();
            Ok((Definition { meaning, sided }, Shape::Number(Unit::Count)))
        }
        Lowered::Number(..) => Err(Mistake::at(0, "places are selected by a yes or no")),
    }
}

fn plain(lowered: Lowered, sided: bool) -> (Definition, Shape) {
    let (meaning, shape) = match lowered {
        Lowered::Truth(cond) => (Meaning::Truth(cond), Shape::Truth),
        Lowered::Number(number, unit) => (Meaning::Number(number), Shape::Number(unit)),
    };
    (Definition { meaning, sided }, shape)
}
