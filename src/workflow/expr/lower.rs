//! From the parser's tree to ours: what the language has, and the limits of its size.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, SourceInfo, operators},
};
use serde_json::{Number, Value};

use super::{
    Problem,
    functions::{self, Function},
    tree::{Macro, MacroKind, Node, Operator},
};

/// The most nodes of an expression.
const NODES: usize = 200;
/// The most levels of an expression; a chain of operators has one for each.
const LEVELS: usize = 64;

/// Our tree of an expression, if it keeps to the language.
pub(super) fn lower(expr: &IdedExpr, info: &SourceInfo) -> Result<Node, Problem> {
    Lower { info, nodes: 0, level: 0, around: None }.node(expr)
}

struct Lower<'a> {
    info: &'a SourceInfo,
    nodes: usize,
    level: usize,
    /// The macro that is being read.
    around: Option<&'a str>,
}

impl<'a> Lower<'a> {
    fn node(&mut self, expr: &'a IdedExpr) -> Result<Node, Problem> {
        self.nodes += 1;
        self.level += 1;
        if self.nodes > NODES {
            return Err(self.problem(expr, format!("it has more than {NODES} parts: divide it over several steps")));
        }
        if self.level > LEVELS {
            return Err(self.problem(expr, format!("it is deeper than {LEVELS} levels: divide it over several steps")));
        }
        let node = self.kind(expr)?;
        self.level -= 1;
        Ok(node)
    }

    fn kind(&mut self, expr: &'a IdedExpr) -> Result<Node, Problem> {
        match &expr.expr {
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::Ident(name) if name == "secrets" => {
                Err(self.problem(expr, "a secret stands alone, as ${secrets.NAME}".to_owned()))
            }
            Expr::Ident(name) => Ok(Node::Name(name.trim_start_matches('.').to_owned())),
            Expr::Select(select) => Ok(Node::Field(self.boxed(&select.operand)?, select.field.clone())),
            Expr::Call(call) => self.call(expr, call),
            Expr::List(list) => Ok(Node::List(self.all(&list.elements)?)),
            Expr::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        entries.push((self.node(&entry.key)?, self.node(&entry.value)?));
                    }
                }
                Ok(Node::Object(entries))
            }
            Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => {
                Err(self.problem(expr, "this has no meaning here".to_owned()))
            }
        }
    }

    fn literal(&self, expr: &IdedExpr, literal: &LiteralValue) -> Result<Node, Problem> {
        Ok(Node::Literal(match literal {
            LiteralValue::Null => Value::Null,
            LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
            LiteralValue::Int(value) => Value::from(*value.inner()),
            LiteralValue::UInt(value) => Value::from(*value.inner()),
            LiteralValue::String(value) => Value::from(value.inner()),
            LiteralValue::Double(value) => Number::from_f64(*value.inner())
                .map(Value::Number)
                .ok_or_else(|| self.problem(expr, "this number is too large".to_owned()))?,
            LiteralValue::Bytes(_) => return Err(self.problem(expr, "bytes have no form in JSON".to_owned())),
        }))
    }

    fn call(&mut self, expr: &'a IdedExpr, call: &'a CallExpr) -> Result<Node, Problem> {
        let arguments = call.args.as_slice();
        match (call.func_name.as_str(), arguments) {
            (operators::CONDITIONAL, [condition, yes, no]) => {
                Ok(Node::Choice(Box::new([self.node(condition)?, self.node(yes)?, self.node(no)?])))
            }
            (operators::LOGICAL_AND, [left, right]) => Ok(Node::And(self.pair(left, right)?)),
            (operators::LOGICAL_OR, [left, right]) => Ok(Node::Or(self.pair(left, right)?)),
            (operators::LOGICAL_NOT, [inner]) => Ok(Node::Not(self.boxed(inner)?)),
            (operators::NEGATE, [inner]) => Ok(Node::Negative(self.boxed(inner)?)),
            (operators::INDEX, [of, index]) => Ok(Node::Index(self.boxed(of)?, self.boxed(index)?)),
            (name, [left, right]) if operator(name).is_some() => {
                let operator = operator(name).expect("the guard has just found it");
                Ok(Node::Binary(operator, self.pair(left, right)?))
            }
            (name, _) => match (macro_kind(name), &call.target) {
                (Some(kind), Some(list)) => self.repeat(expr, kind, name, list, arguments),
                _ => self.function(expr, name, call.target.as_deref(), arguments),
            },
        }
    }

    fn function(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        target: Option<&'a IdedExpr>,
        arguments: &'a [IdedExpr],
    ) -> Result<Node, Problem> {
        match (name, target, arguments.len()) {
            ("has", None, 1) => {
                let inner = self.node(&arguments[0])?;
                let is_path = matches!(inner, Node::Field(..) | Node::Index(..));
                let refused = || self.problem(expr, "has takes a path, as in has(steps.text.output.title)".to_owned());
                return if is_path { Ok(Node::Has(Box::new(inner))) } else { Err(refused()) };
            }
            ("default", None, 2) => return Ok(Node::First { choices: self.all(arguments)?, loose: 1 }),
            ("coalesce", None, 1..) => {
                return Ok(Node::First { choices: self.all(arguments)?, loose: arguments.len() });
            }
            _ => {}
        }
        let mut values = target.map(|target| self.node(target)).transpose()?.into_iter().collect::<Vec<_>>();
        values.extend(self.all(arguments)?);
        match functions::find(name, values.len()) {
            Ok(function) => {
                if let (Function::Matches, [_, Node::Literal(Value::String(pattern))]) = (function, values.as_slice()) {
                    functions::pattern(pattern).map_err(|message| self.problem(expr, message))?;
                }
                Ok(Node::Call(function, values))
            }
            Err(message) => Err(self.problem(expr, message)),
        }
    }

    fn repeat(
        &mut self,
        expr: &IdedExpr,
        kind: MacroKind,
        name: &'a str,
        list: &'a IdedExpr,
        arguments: &'a [IdedExpr],
    ) -> Result<Node, Problem> {
        if let Some(around) = self.around {
            let advice = "use map(x, condition, value), or another step";
            return Err(self.problem(expr, format!("{name} cannot stand inside or behind {around}: {advice}")));
        }
        let (item, condition, body) = match (kind, arguments) {
            (MacroKind::Map, [item, condition, body]) => (item, Some(condition), body),
            (_, [item, body]) => (item, None, body),
            _ => return Err(self.problem(expr, format!("{name} takes a name and an expression, as in {name}(x, …)"))),
        };
        let Expr::Ident(item) = &item.expr else {
            return Err(self.problem(expr, format!("{name} takes a name first, as in {name}(x, …)")));
        };
        self.around = Some(name);
        let list = self.node(list)?;
        let condition = condition.map(|condition| self.node(condition)).transpose()?;
        let body = self.node(body)?;
        self.around = None;
        Ok(Node::Macro(Box::new(Macro { kind, list, name: item.clone(), condition, body })))
    }

    fn all(&mut self, exprs: &'a [IdedExpr]) -> Result<Vec<Node>, Problem> {
        exprs.iter().map(|expr| self.node(expr)).collect()
    }

    fn boxed(&mut self, expr: &'a IdedExpr) -> Result<Box<Node>, Problem> {
        self.node(expr).map(Box::new)
    }

    fn pair(&mut self, left: &'a IdedExpr, right: &'a IdedExpr) -> Result<Box<[Node; 2]>, Problem> {
        Ok(Box::new([self.node(left)?, self.node(right)?]))
    }

    /// A problem of a node: at its sign or, if it is a call, at the name of what is called.
    fn problem(&self, expr: &IdedExpr, message: String) -> Problem {
        let start = self.info.offset_for(expr.id).map_or(0, |(start, _)| start as usize);
        let before = self.info.source.get(..start).unwrap_or_default();
        let before = match &expr.expr {
            Expr::Call(call) => before.strip_suffix(call.func_name.as_str()).unwrap_or(before),
            _ => before,
        };
        Problem::new(before.chars().count() + 1, message)
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Remainder,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        _ => return None,
    })
}

fn macro_kind(name: &str) -> Option<MacroKind> {
    Some(match name {
        operators::MAP => MacroKind::Map,
        operators::FILTER => MacroKind::Filter,
        operators::ALL => MacroKind::All,
        operators::EXISTS => MacroKind::Exists,
        operators::EXISTS_ONE => MacroKind::ExistsOne,
        _ => return None,
    })
}
