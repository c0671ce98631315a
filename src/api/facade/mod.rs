//! What the routes of other systems share: fields that are read kindly, and a task that is made and waited for.
//!
//! A façade turns a request into a [`crate::intake::Submission`] and a task into the answer that its clients know; its
//! errors are those of everyone, told in its shape by the outermost layer (`shape.rs`).

mod fields;
mod form;
mod run;

pub(super) use self::{
    fields::Fields,
    form::{Form, Given, Raw},
    run::Ended,
};
