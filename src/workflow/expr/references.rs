//! What an expression refers to.

use serde_json::Value;

use super::{
    Reference,
    path::COMPUTED,
    tree::{Macro, Node},
};

/// Every reference of a tree, each once.
pub(super) fn of(tree: &Node) -> Vec<Reference> {
    let mut walk = Walk { found: Vec::new(), local: None };
    walk.node(tree, false);
    walk.found
}

struct Walk<'a> {
    found: Vec<Reference>,
    /// The name that the macro around declares.
    local: Option<&'a str>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &'a Node, guarded: bool) {
        match node {
            Node::Literal(_) => {}
            Node::Name(_) | Node::Field(..) | Node::Index(..) => {
                let mut path = Vec::new();
                self.chain(node, guarded, &mut path);
                let reference = Reference { path, guarded };
                let is_local = self.local.is_some_and(|name| reference.path.first().is_some_and(|root| root == name));
                if !reference.path.is_empty() && !is_local && !self.found.contains(&reference) {
                    self.found.push(reference);
                }
            }
            Node::List(items) | Node::Call(_, items) => items.iter().for_each(|item| self.node(item, guarded)),
            Node::Object(entries) => {
                for (name, value) in entries {
                    self.node(name, guarded);
                    self.node(value, guarded);
                }
            }
            Node::Choice(parts) => parts.iter().for_each(|part| self.node(part, guarded)),
            Node::And(parts) | Node::Or(parts) | Node::Binary(_, parts) => {
                parts.iter().for_each(|part| self.node(part, guarded));
            }
            Node::Not(inner) | Node::Negative(inner) => self.node(inner, guarded),
            Node::Has(inner) => self.node(inner, true),
            Node::First { choices, loose } => {
                choices.iter().enumerate().for_each(|(index, choice)| self.node(choice, guarded || index < *loose));
            }
            Node::Macro(parts) => self.repeat(parts, guarded),
        }
    }

    fn repeat(&mut self, parts: &'a Macro, guarded: bool) {
        self.node(&parts.list, guarded);
        self.local = Some(&parts.name);
        parts.condition.iter().for_each(|condition| self.node(condition, guarded));
        self.node(&parts.body, guarded);
        self.local = None;
    }

    /// Puts the parts of a path into `path` as far as they are known; returns whether all are. What computes an index is
    /// walked on its own.
    fn chain(&mut self, node: &'a Node, guarded: bool, path: &mut Vec<String>) -> bool {
        match node {
            Node::Name(name) => {
                path.push(name.clone());
                true
            }
            Node::Field(of, name) => {
                let whole = self.chain(of, guarded, path);
                if whole {
                    path.push(name.clone());
                }
                whole
            }
            Node::Index(of, index) => {
                let whole = self.chain(of, guarded, path);
                let known = literal_index(index);
                if known.is_none() {
                    self.node(index, guarded);
                }
                if whole {
                    path.extend(known.clone());
                }
                whole && known.is_some()
            }
            other => {
                self.node(other, guarded);
                false
            }
        }
    }
}

/// An index that is written out.
fn literal_index(index: &Node) -> Option<String> {
    match index {
        Node::Literal(Value::String(name)) => Some(name.clone()),
        Node::Literal(Value::Number(number)) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

/// The path of names and indexes, for people: what is computed stands as an ellipsis.
pub(super) fn path_of(node: &Node) -> Vec<String> {
    match node {
        Node::Name(name) => vec![name.clone()],
        Node::Field(of, name) => followed(of, name.clone()),
        Node::Index(of, index) => followed(of, literal_index(index).unwrap_or_else(|| COMPUTED.to_owned())),
        Node::Call(function, _) => vec![format!("{}({COMPUTED})", function.name())],
        _ => vec![format!("({COMPUTED})")],
    }
}

fn followed(of: &Node, part: String) -> Vec<String> {
    let mut path = path_of(of);
    path.push(part);
    path
}
