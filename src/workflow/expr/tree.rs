//! An expression as it is evaluated.

use serde_json::Value;

use super::functions::Function;

/// A node of an expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A number, a string, `true`, `false` or `null`.
    Literal(Value),
    /// A name at the top of the scope, or the one a macro declares.
    Name(String),
    /// `a.name`
    Field(Box<Node>, String),
    /// `a[b]`
    Index(Box<Node>, Box<Node>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{'a': b}`
    Object(Vec<(Node, Node)>),
    /// `a ? b : c`
    Choice(Box<[Node; 3]>),
    /// `a && b`
    And(Box<[Node; 2]>),
    /// `a || b`
    Or(Box<[Node; 2]>),
    /// `!a`
    Not(Box<Node>),
    /// `-a`
    Negative(Box<Node>),
    /// `a + b` and its like
    Binary(Operator, Box<[Node; 2]>),
    /// `size(a)` or `a.size()`
    Call(Function, Vec<Node>),
    /// `has(a.b)`
    Has(Box<Node>),
    /// `default(a, b)`, `coalesce(a, b, …)`: the first that is neither missing nor null. `loose` is the number of those
    /// that may be missing without a fault.
    First { choices: Vec<Node>, loose: usize },
    /// `a.map(x, b)` and its like
    Macro(Box<Macro>),
}

/// A macro: the only thing that repeats.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub(super) kind: MacroKind,
    /// The list, or an object, of which the names are taken.
    pub(super) list: Node,
    /// What an item is called.
    pub(super) name: String,
    /// The condition of `map(x, condition, value)`.
    pub(super) condition: Option<Node>,
    pub(super) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacroKind {
    Map,
    Filter,
    All,
    Exists,
    ExistsOne,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Operator {
    /// How it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}
