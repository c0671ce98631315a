//! The routes of the systems that trawl takes the place of.
//!
//! Each file or folder has the routes of one of them: their fields, defaults and words; what stands behind is everyone's.

pub(super) mod services;
mod whisper_api;
mod work_flow;

use super::native::Context;

/// Every route of theirs.
pub(super) type Routes = (work_flow::CreateWorkFlow, services::Routes, whisper_api::Routes);

/// Every route of theirs.
pub(super) fn routes(context: &Context) -> Routes {
    (work_flow::CreateWorkFlow(context.clone()), services::routes(context), whisper_api::routes(context))
}
