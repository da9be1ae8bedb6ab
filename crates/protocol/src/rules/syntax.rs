//! Text to syntax tree: `|| && ! == != < <= > >= + - *`, names, numerals, `true`, `false`,
//! parentheses; binding as in CEL.

use crate::logic::Ratio;

use super::Mistake;
use super::tree::Comparison;

/// Deeper nesting is refused, so that no expression can exhaust the stack.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ast {
    pub(crate) offset: usize,
    pub(crate) node: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A dotted name.
    Name(Vec<String>),
    Number(Ratio),
    Bool(bool),
    Not(Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Compare(Comparison, Box<Ast>, Box<Ast>),
    Arithmetic(Operator, Box<Ast>, Box<Ast>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Number(Ratio),
    Sign(&'static str),
}

/// Longer signs come before the shorter ones that they start with.
const SIGNS: [&str; 15] = ["||", "&&", "==", "!=", "<=", ">=", "!", "<", ">", "+", "-", "*", "(", ")", "."];

pub(crate) fn parse(text: &str) -> Result<Ast, Mistake> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len(), depth: 0 };
    let ast = parser.disjunction()?;
    match parser.tokens.get(parser.next) {
        Some((offset, _)) => Err(Mistake::at(*offset, "the condition should end here")),
        None => Ok(ast),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Mistake> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else {
            let (token, length) = token(rest, first)
                .ok_or_else(|| Mistake::at(at, format!("\"{first}\" is no sign of the rule language")))?;
            tokens.push((at, token));
            length
        };
        at += length;
    }
    Ok(tokens)
}

fn token(rest: &str, first: char) -> Option<(Token, usize)> {
    let while_ = |wanted: fn(char) -> bool| {
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        &rest[..end]
    };
    if first.is_ascii_alphabetic() || first == '_' {
        let name = while_(|c| c.is_ascii_alphanumeric() || c == '_');
        return Some((Token::Name(name.to_owned()), name.len()));
    }
    if first.is_ascii_digit() {
        let numeral = while_(|c| c.is_ascii_digit() || c == '.');
        return Some((Token::Number(Ratio::decimal(numeral)?), numeral.len()));
    }
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    Some((Token::Sign(sign), sign.len()))
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn offset(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn take(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        let Some((_, Token::Sign(sign))) = self.tokens.get(self.next) else {
            return None;
        };
        let sign = *sign;
        signs.contains(&sign).then(|| {
            self.next += 1;
            sign
        })
    }

    fn disjunction(&mut self) -> Result<Ast, Mistake> {
        self.chain("||", Node::Or, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Ast, Mistake> {
        self.chain("&&", Node::And, Self::comparison)
    }

    fn chain(
        &mut self,
        sign: &'static str,
        join: fn(Vec<Ast>) -> Node,
        operand: fn(&mut Self) -> Result<Ast, Mistake>,
    ) -> Result<Ast, Mistake> {
        let offset = self.offset();
        let first = operand(self)?;
        let mut operands = vec![first];
        while self.take(&[sign]).is_some() {
            operands.push(operand(self)?);
        }
        match <[Ast; 1]>::try_from(operands) {
            Ok([only]) => Ok(only),
            Err(operands) => Ok(Ast { offset, node: join(operands) }),
        }
    }

    fn comparison(&mut self) -> Result<Ast, Mistake> {
        let left = self.sum()?;
        let offset = self.offset();
        let Some(sign) = self.take(&["==", "!=", "<=", ">=", "<", ">"]) else {
            return Ok(left);
        };
        let comparison = match sign {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<=" => Comparison::AtMost,
            ">=" => Comparison::AtLeast,
            "<" => Comparison::Below,
            _ => Comparison::Above,
        };
        let node = Node::Compare(comparison, Box::new(left), Box::new(self.sum()?));
        Ok(Ast { offset, node })
    }

    fn sum(&mut self) -> Result<Ast, Mistake> {
        let mut left = self.product()?;
        loop {
            let offset = self.offset();
            let operator = match self.take(&["+", "-"]) {
                Some("+") => Operator::Add,
                Some(_) => Operator::Subtract,
                None => return Ok(left),
            };
            let node = Node::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
            left = Ast { offset, node };
        }
    }

    fn product(&mut self) -> Result<Ast, Mistake> {
        let mut left = self.unary()?;
        loop {
            let offset = self.offset();
            if self.take(&["*"]).is_none() {
                return Ok(left);
            }
            let right = self.unary()?;
            let node = Node::Arithmetic(Operator::Multiply, Box::new(left), Box::new(right));
            left = Ast { offset, node };
        }
    }

    fn unary(&mut self) -> Result<Ast, Mistake> {
        let offset = self.offset();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Mistake::at(offset, "the condition is nested too deeply"));
        }
        let ast = match self.take(&["!", "-", "("]) {
            Some("!") => Node::Not(Box::new(self.unary()?)),
            Some("-") => {
                let zero = Node::Number(Ratio::whole(0));
                let zero = Box::new(Ast { offset, node: zero });
                Node::Arithmetic(Operator::Subtract, zero, Box::new(self.unary()?))
            }
            Some(_) => self.parenthesis()?.node,
            None => self.primary()?,
        };
        self.depth -= 1;
        Ok(Ast { offset, node: ast })
    }

    fn parenthesis(&mut self) -> Result<Ast, Mistake> {
        let inner = self.disjunction()?;
        if self.take(&[")"]).is_none() {
            return Err(Mistake::at(self.offset(), "a closing parenthesis is missing"));
        }
        Ok(inner)
    }

    fn primary(&mut self) -> Result<Node, Mistake> {
        let offset = self.offset();
        let token = self.tokens.get(self.next).map(|(_, token)| token.clone());
        self.next += 1;
        match token {
            Some(Token::Number(number)) => Ok(Node::Number(number)),
            Some(Token::Name(name)) => match name.as_str() {
                "true" => Ok(Node::Bool(true)),
                "false" => Ok(Node::Bool(false)),
                _ => self.dotted(name),
            },
            Some(Token::Sign(sign)) => {
                Err(Mistake::at(offset, format!("a name or number should stand before \"{sign}\"")))
            }
            None => Err(Mistake::at(offset, "a name or number is missing at the end")),
        }
    }

    fn dotted(&mut self, first: String) -> Result<Node, Mistake> {
        let mut path = vec![first];
        while self.take(&["."]).is_some() {
            let offset = self.offset();
            let Some((_, Token::Name(name))) = self.tokens.get(self.next) else {
                return Err(Mistake::at(offset, "a name should follow the point"));
            };
            path.push(name.clone());
            self.next += 1;
        }
        Ok(Node::Name(path))
    }
}
