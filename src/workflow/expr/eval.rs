//! Evaluation: a walk over the tree, in which everything is paid for from the [`Budget`].

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    budget::{self, Budget},
    functions::Caller,
    missing::Failure,
    operators::{binary, kind, negative},
    path,
    references::path_of,
    tree::{Macro, MacroKind, Node},
};

/// The most items that a macro takes.
const ITEMS: usize = 10_000;

/// What every step of an evaluation yields: borrowed from the scope or the tree as long as nothing is computed.
type Found<'a> = Result<Cow<'a, Value>, Failure>;

/// The value of a tree over a scope.
pub(super) fn run(tree: &Node, scope: &Value) -> Result<Value, Failure> {
    let mut run = Run { scope, item: None, budget: Budget::new(), caller: Caller::default() };
    match run.eval(tree)? {
        Cow::Borrowed(picked) => Ok(picked.clone()),
        Cow::Owned(made) => budget::check_result(&made).map(|()| made),
    }
}

struct Run<'a> {
    scope: &'a Value,
    /// The item of the macro that runs, and what it is called.
    item: Option<(&'a str, Cow<'a, Value>)>,
    budget: Budget,
    caller: Caller,
}

impl<'a> Run<'a> {
    fn eval(&mut self, node: &'a Node) -> Found<'a> {
        self.budget.work(1)?;
        match node {
            Node::Literal(value) => Ok(Cow::Borrowed(value)),
            Node::Name(_) | Node::Field(..) | Node::Index(..) => match self.chain(node)? {
                Some(value) => Ok(value),
                None => {
                    let path = path_of(node);
                    self.budget.work(path.len())?;
                    Err(Failure::Missing(path))
                }
            },
            Node::List(items) => {
                let items = items.iter().map(|item| self.own(item)).collect::<Result<_, _>>()?;
                self.make(Value::Array(items))
            }
            Node::Object(entries) => self.object(entries),
            Node::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                if self.truth(condition)? { self.eval(yes) } else { self.eval(no) }
            }
            Node::And(parts) => Ok(boolean(self.truth(&parts[0])? && self.truth(&parts[1])?)),
            Node::Or(parts) => Ok(boolean(self.truth(&parts[0])? || self.truth(&parts[1])?)),
            Node::Not(inner) => Ok(boolean(!self.truth(inner)?)),
            Node::Negative(inner) => negative(&*self.eval(inner)?).map(Cow::Owned),
            Node::Binary(operator, parts) => {
                let (left, right) = (self.eval(&parts[0])?, self.eval(&parts[1])?);
                binary(*operator, &left, &right, &mut self.budget).map(Cow::Owned)
            }
            Node::Call(function, arguments) => {
                let arguments = arguments.iter().map(|one| self.eval(one)).collect::<Result<Vec<_>, _>>()?;
                self.caller.call(*function, &arguments, &mut self.budget)
            }
            Node::Has(inner) => match self.eval(inner) {
                Err(Failure::Missing(_)) => Ok(boolean(false)),
                found => found.map(|_| boolean(true)),
            },
            Node::First { choices, .. } => self.first(choices),
            Node::Macro(parts) => self.repeat(parts),
        }
    }

    /// What stands at the end of names and indexes; `None` if it or anything before it is not there.
    fn chain(&mut self, node: &'a Node) -> Result<Option<Cow<'a, Value>>, Failure> {
        self.budget.work(1)?;
        match node {
            Node::Name(name) => self.name(name),
            Node::Field(of, name) => Ok(self.chain(of)?.and_then(|value| child(value, name))),
            Node::Index(of, index) => {
                let Some(value) = self.chain(of)? else { return Ok(None) };
                Ok(child(value, &self.part(index)?))
            }
            other => self.eval(other).map(Some),
        }
    }

    fn name(&mut self, name: &str) -> Result<Option<Cow<'a, Value>>, Failure> {
        if let Some((item, value)) = &self.item
            && *item == name
        {
            if let Cow::Owned(value) = value {
                self.budget.copy(value)?;
            }
            return Ok(Some(value.clone()));
        }
        Ok(self.scope.get(name).map(Cow::Borrowed))
    }

    /// An index as a part of a path.
    fn part(&mut self, index: &'a Node) -> Result<String, Failure> {
        match self.eval(index)?.as_ref() {
            Value::String(name) => Ok(name.clone()),
            Value::Number(number) => Ok(match number.as_f64() {
                // `a[2.0]` is `a[2]`, as `2.0 == 2`.
                Some(double) if number.is_f64() && double.fract() == 0.0 => format!("{double:.0}"),
                _ => number.to_string(),
            }),
            other => Err(Failure::wrong(format!("an index is a number or a string, not {}", kind(other)))),
        }
    }

    fn object(&mut self, entries: &'a [(Node, Node)]) -> Found<'a> {
        let mut fields = Map::new();
        for (name, value) in entries {
            let Value::String(name) = self.own(name)? else {
                return Err(Failure::wrong("the names in an object are strings"));
            };
            let value = self.own(value)?;
            if fields.contains_key(&name) {
                return Err(Failure::wrong(format!("an object has the name \"{name}\" twice")));
            }
            fields.insert(name, value);
        }
        self.make(Value::Object(fields))
    }

    /// The first choice that is neither missing nor null; else the last one.
    fn first(&mut self, choices: &'a [Node]) -> Found<'a> {
        let mut last = Ok(Cow::Owned(Value::Null));
        for choice in choices {
            last = match self.eval(choice) {
                Err(wrong @ Failure::Wrong(_)) => return Err(wrong),
                Ok(value) if !value.is_null() => return Ok(value),
                empty => empty,
            };
        }
        last
    }

    fn repeat(&mut self, parts: &'a Macro) -> Found<'a> {
        let items = self.items(&parts.list)?;
        let value = self.go_through(items, parts);
        // Whether it ends well or not, its name means nothing behind it.
        self.item = None;
        value
    }

    fn go_through(&mut self, items: Vec<Cow<'a, Value>>, parts: &'a Macro) -> Found<'a> {
        let mut made = Vec::new();
        let mut holding = 0_usize;
        for item in items {
            self.budget.work(1)?;
            self.item = Some((&parts.name, item));
            match parts.kind {
                MacroKind::Map => {
                    let chosen = parts.condition.as_ref().map_or(Ok(true), |condition| self.truth(condition))?;
                    if chosen {
                        made.push(self.own(&parts.body)?);
                    }
                }
                MacroKind::Filter => {
                    if self.truth(&parts.body)? {
                        made.extend(self.item.take().map(|(_, item)| self.keep(item)).transpose()?);
                    }
                }
                MacroKind::All if !self.truth(&parts.body)? => return Ok(boolean(false)),
                MacroKind::Exists if self.truth(&parts.body)? => return Ok(boolean(true)),
                MacroKind::ExistsOne => holding += usize::from(self.truth(&parts.body)?),
                MacroKind::All | MacroKind::Exists => {}
            }
        }
        Ok(match parts.kind {
            MacroKind::Map | MacroKind::Filter => Cow::Owned(Value::Array(made)),
            MacroKind::All => boolean(true),
            MacroKind::Exists => boolean(false),
            MacroKind::ExistsOne => boolean(holding == 1),
        })
    }

    /// What a macro goes through: the items of a list, the names of an object.
    fn items(&mut self, list: &'a Node) -> Result<Vec<Cow<'a, Value>>, Failure> {
        let list = self.eval(list)?;
        let size = list.as_array().map(Vec::len).or_else(|| list.as_object().map(Map::len));
        let size = size.ok_or_else(|| Failure::wrong(format!("a list is expected, not {}", kind(&list))))?;
        if size > ITEMS {
            return Err(Failure::wrong(format!("a list has {size} items; expressions go through {ITEMS} at most")));
        }
        Ok(match list {
            Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
            Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
            other => {
                let names: Vec<String> =
                    other.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
                names.iter().try_for_each(|name| self.budget.build(name.len()))?;
                names.into_iter().map(|name| Cow::Owned(Value::String(name))).collect()
            }
        })
    }

    fn truth(&mut self, node: &'a Node) -> Result<bool, Failure> {
        match *self.eval(node)? {
            Value::Bool(truth) => Ok(truth),
            ref other => Err(Failure::wrong(format!("true or false is expected, not {}", kind(other)))),
        }
    }

    /// The value of a node, to be put into another one.
    fn own(&mut self, node: &'a Node) -> Result<Value, Failure> {
        let value = self.eval(node)?;
        self.keep(value)
    }

    fn keep(&mut self, value: Cow<'a, Value>) -> Result<Value, Failure> {
        if let Cow::Borrowed(value) = value {
            self.budget.copy(value)?;
        }
        Ok(value.into_owned())
    }

    fn make(&mut self, value: Value) -> Found<'a> {
        self.budget.build(0)?;
        Ok(Cow::Owned(value))
    }
}

fn boolean<'a>(truth: bool) -> Cow<'a, Value> {
    Cow::Owned(Value::Bool(truth))
}

/// What stands at a name or an index.
fn child<'a>(value: Cow<'a, Value>, part: &str) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => path::child(value, part).map(Cow::Borrowed),
        Cow::Owned(Value::Array(items)) => items.into_iter().nth(part.parse().ok()?).map(Cow::Owned),
        Cow::Owned(Value::Object(mut fields)) => fields.remove(part).map(Cow::Owned),
        Cow::Owned(_) => None,
    }
}
