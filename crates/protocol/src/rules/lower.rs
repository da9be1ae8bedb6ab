//! Syntax tree to typed tree: every name is looked up, every type and unit checked.

use crate::facts::{self, Unit};
use crate::logic::Ratio;
use crate::record::Side;
use crate::suggest::nearest;
use crate::word::Word;

use super::Mistake;
use super::place::{Domain, FactRef};
use super::syntax::{Ast, Node, Operator, parse};
use super::tree::{Cond, Num, Reach};

/// Where an expression stands: which names it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Visit,
    /// Bound to one side.
    Side,
    /// Bound to one place of a domain, and to its side.
    Place(Domain),
}

/// The type of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Truth,
    Number(Unit),
}

/// The names that the protocol file adds to the facts.
pub(crate) trait Vocabulary {
    /// Number, shape and sidedness (for each side; as a whole) of a definition.
    fn definition(&self, name: &str) -> Option<(usize, Shape, (bool, bool))>;
    fn threshold(&self, name: &str) -> Option<(usize, Ratio, Unit)>;
    fn option(&self, name: &str) -> Option<(usize, bool)>;
    /// Number of a finding, its code written with underscores.
    fn finding(&self, name: &str) -> Option<usize>;
    /// All names of the file, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// A lowered expression.
pub(crate) enum Lowered {
    Truth(Cond),
    Number(Num, Unit),
}

/// Parses and lowers one expression.
pub(crate) fn lower(text: &str, scope: Scope, vocabulary: &dyn Vocabulary) -> Result<Lowered, Mistake> {
    Lowering { scope, vocabulary }.any(&parse(text)?)
}

struct Lowering<'v> {
    scope: Scope,
    vocabulary: &'v dyn Vocabulary,
}

impl Lowering<'_> {
    fn any(&self, ast: &Ast) -> Result<Lowered, Mistake> {
        match &ast.node {
            Node::Name(path) => self.name(ast.offset, path),
            Node::Number(number) => Ok(Lowered::Number(Num::Literal(*number), Unit::Count)),
            Node::Bool(value) => Ok(Lowered::Truth(Cond::Literal(*value))),
            Node::Not(inner) => Ok(Lowered::Truth(Cond::Not(Box::new(self.truth(inner)?)))),
            Node::And(all) => Ok(Lowered::Truth(Cond::And(self.truths(all)?))),
            Node::Or(any) => Ok(Lowered::Truth(Cond::Or(self.truths(any)?))),
            Node::Compare(comparison, left, right) => {
                let (left, right, _) = self.same_unit(ast.offset, left, right)?;
                Ok(Lowered::Truth(Cond::Compare(*comparison, left, right)))
            }
            Node::Arithmetic(operator, left, right) => self.arithmetic(ast.offset, *operator, left, right),
        }
    }

    fn truths(&self, all: &[Ast]) -> Result<Vec<Cond>, Mistake> {
        all.iter().map(|ast| self.truth(ast)).collect()
    }

    fn truth(&self, ast: &Ast) -> Result<Cond, Mistake> {
        match self.any(ast)? {
            Lowered::Truth(cond) => Ok(cond),
            Lowered::Number(..) => {
                Err(Mistake::at(ast.offset, "this is a number where a yes or no is needed; compare it with something"))
            }
        }
    }

    fn number(&self, ast: &Ast) -> Result<(Num, Unit), Mistake> {
        match self.any(ast)? {
            Lowered::Number(number, unit) => Ok((number, unit)),
            Lowered::Truth(_) => Err(Mistake::at(ast.offset, "this is a yes or no where a number is needed")),
        }
    }

    /// Two numbers of one unit; a plain numeral takes the unit of the other.
    fn same_unit(&self, offset: usize, left: &Ast, right: &Ast) -> Result<(Num, Num, Unit), Mistake> {
        let plain = |ast: &Ast| matches!(ast.node, Node::Number(_));
        let (plain_left, plain_right) = (plain(left), plain(right));
        let ((left, one), (right, other)) = (self.number(left)?, self.number(right)?);
        if one == other || plain_right {
            return Ok((left, right, one));
        }
        if plain_left {
            return Ok((left, right, other));
        }
        let reason = format!("{one} stands against {other}; both sides must have one unit");
        Err(Mistake::at(offset, reason))
    }

    fn arithmetic(&self, offset: usize, operator: Operator, left: &Ast, right: &Ast) -> Result<Lowered, Mistake> {
        if operator == Operator::Multiply {
            return self.product(offset, left, right);
        }
        let (left, right, unit) = self.same_unit(offset, left, right)?;
        let (left, right) = (Box::new(left), Box::new(right));
        let number = match operator {
            Operator::Add => Num::Add(left, right),
            _ => Num::Subtract(left, right),
        };
        Ok(Lowered::Number(number, unit))
    }

    fn product(&self, offset: usize, left: &Ast, right: &Ast) -> Result<Lowered, Mistake> {
        let ((left, one), (right, other)) = (self.number(left)?, self.number(right)?);
        let ((Unit::Count, unit) | (unit, Unit::Count)) = (one, other) else {
            return Err(Mistake::at(offset, "one factor must be a plain number"));
        };
        Ok(Lowered::Number(Num::Multiply(Box::new(left), Box::new(right)), unit))
    }

    fn name(&self, offset: usize, path: &[String]) -> Result<Lowered, Mistake> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            [inner @ .., "known"] if !inner.is_empty() => self.known(offset, inner),
            [inner @ .., "unknown"] if !inner.is_empty() => {
                let Lowered::Truth(known) = self.known(offset, inner)? else {
                    return Err(self.unknown_name(offset, &path));
                };
                Ok(Lowered::Truth(Cond::Not(Box::new(known))))
            }
            _ => self.resolve(&path).ok_or_else(|| self.unknown_name(offset, &path)),
        }
    }

    fn known(&self, offset: usize, path: &[&str]) -> Result<Lowered, Mistake> {
        let resolved = self.resolve(path).ok_or_else(|| self.unknown_name(offset, path))?;
        let known = match resolved {
            Lowered::Truth(Cond::Fact(fact, reach)) | Lowered::Number(Num::Fact(fact, reach), _) => {
                Cond::KnownFact(fact, reach)
            }
            Lowered::Truth(Cond::Defined(slot, reach)) | Lowered::Number(Num::Defined(slot, reach), _) => {
                Cond::KnownDefined(slot, reach)
            }
            _ => return Err(Mistake::at(offset, "this is always known")),
        };
        Ok(Lowered::Truth(known))
    }

    fn resolve(&self, path: &[&str]) -> Option<Lowered> {
        match path {
            ["t", name] => {
                let (index, value, unit) = self.vocabulary.threshold(name)?;
                Some(Lowered::Number(Num::Threshold(index, value), unit))
            }
            ["option", name] => {
                let (index, value) = self.vocabulary.option(name)?;
                Some(Lowered::Truth(Cond::Option(index, value)))
            }
            ["found", code] => self.finding(code, Reach::Whole),
            [side, "found", code] => self.finding(code, self.reach(side)?),
            [name] => {
                let fact = facts::find(facts::VISIT, name).map(FactRef::Visit);
                self.fact_or_definition(fact, name, Reach::Whole)
            }
            [place, name] => match self.reach(place) {
                Some(reach) => {
                    let fact = facts::find(facts::SIDE, name).map(FactRef::Side);
                    self.fact_or_definition(fact, name, reach)
                }
                None => Some(fact(self.place_fact(place, name)?, Reach::Bound)),
            },
            _ => None,
        }
    }

    fn reach(&self, word: &str) -> Option<Reach> {
        match word {
            "side" if self.scope != Scope::Visit => Some(Reach::Bound),
            _ => Side::from_word(word).map(Reach::Side),
        }
    }

    fn place_fact(&self, place: &str, name: &str) -> Option<FactRef> {
        let domain = Domain::from_word(place)?;
        if self.scope != Scope::Place(domain) {
            return None;
        }
        match domain {
            Domain::Movement => facts::find(facts::MOVEMENT, name).map(FactRef::Movement),
            Domain::Reflex => facts::find(facts::REFLEX, name).map(FactRef::Reflex),
            Domain::Dermatome => facts::find(facts::DERMATOME, name).map(FactRef::Dermatome),
            Domain::Item => facts::find(facts::ITEM, name).map(FactRef::Item),
        }
    }

    fn finding(&self, code: &str, reach: Reach) -> Option<Lowered> {
        let finding = self.vocabulary.finding(code)?;
        Some(Lowered::Truth(Cond::Found(finding, reach)))
    }

    fn fact_or_definition(&self, known: Option<FactRef>, name: &str, reach: Reach) -> Option<Lowered> {
        if let Some(known) = known {
            return Some(fact(known, reach));
        }
        let (slot, shape, (by_side, whole)) = self.vocabulary.definition(name)?;
        let available = if reach == Reach::Whole { whole } else { by_side };
        available.then_some(match shape {
            Shape::Truth => Lowered::Truth(Cond::Defined(slot, reach)),
            Shape::Number(unit) => Lowered::Number(Num::Defined(slot, reach), unit),
        })
    }

    fn unknown_name(&self, offset: usize, path: &[&str]) -> Mistake {
        let name = path.join(".");
        let known = self.vocabulary.names();
        let facts = facts::VISIT.iter().copied().flatten().map(|fact| fact.name);
        let reason = match nearest(&name, known.iter().map(String::as_str).chain(facts)) {
            Some(near) => format!("there is no \"{name}\" here; did you mean \"{near}\"?"),
            None => format!("there is no \"{name}\" here"),
        };
        Mistake::at(offset, reason)
    }
}

fn fact(fact: FactRef, reach: Reach) -> Lowered {
    match fact.unit() {
        Some(unit) => Lowered::Number(Num::Fact(fact, reach), unit),
        None => Lowered::Truth(Cond::Fact(fact, reach)),
    }
}
