//! Templates: the plain-language sentences of findings, with the patient's own values in them.
//!
//! `{name}` shows a number with its unit, `{which name}` lists the places that a definition
//! selects, `{grounds}` what the finding rests on, `{side}` the side.

use toml::Spanned;

use crate::facts::Unit;
use crate::rules::{Lowered, Meaning, Mistake, Num, Reach, Scope, lower};

use super::load::Loader;

/// A sentence with gaps.
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    /// As it stands in the file.
    pub(crate) written: String,
}

pub(crate) enum Piece {
    Text(String),
    Number(Num, Unit),
    Places(usize, Reach),
    Grounds,
    Side,
}

impl Template {
    pub(super) fn lower(loader: &mut Loader, text: &Spanned<String>, scope: Scope, what: &str) -> Self {
        let written = text.get_ref().trim().to_owned();
        let mut pieces = Vec::new();
        let mut rest = written.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            pieces.push(Piece::Text(before.to_owned()));
            let Some((gap, after)) = after.split_once('}') else {
                let mistake = Mistake::at(0, "a gap of the text is not closed");
                loader.mistake::<()>(text, &mistake, what);
                break;
            };
            match piece(loader, gap, scope) {
                Ok(piece) => pieces.push(piece),
                Err(mistake) => {
                    let mistake = Mistake::at(0, format!("{{{gap}}}: {}", mistake.reason));
                    loader.mistake::<()>(text, &mistake, what);
                }
            }
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self { pieces, written }
    }
}

fn piece(loader: &Loader, gap: &str, scope: Scope) -> Result<Piece, Mistake> {
    match gap {
        "side" if scope == Scope::Side => return Ok(Piece::Side),
        "grounds" => return Ok(Piece::Grounds),
        _ => {}
    }
    let (listed, name) = match gap.strip_prefix("which ") {
        Some(name) => (true, name),
        None => (false, gap),
    };
    match lower(name, scope, &loader.names)? {
        Lowered::Number(Num::Defined(slot, reach), _) if listed => match loader.names.definitions[slot].meaning {
            Meaning::Selection(..) => Ok(Piece::Places(slot, reach)),
            Meaning::Truth(_) | Meaning::Number(_) => {
                Err(Mistake::at(0, "only a definition that counts places can be listed"))
            }
        },
        Lowered::Number(number, unit) if !listed => Ok(Piece::Number(number, unit)),
        _ => Err(Mistake::at(0, "a number is needed here")),
    }
}
