//! The routes of the systems that trawl takes the place of.
//!
//! Each file has the routes of one of them: their fields, defaults and words; what stands behind is everyone's.

mod folder;
mod health;
mod pcm;
mod summary;
mod traditional;
mod waited;
mod webservice;
mod work_flow;

use super::native::Context;

/// Every route of theirs.
pub(super) type Routes = (
    summary::SummedUp,
    traditional::Traditional,
    folder::Folders,
    work_flow::CreateWorkFlow,
    webservice::Webservice,
    health::Health,
);

/// Every route of theirs.
pub(super) fn routes(context: &Context) -> Routes {
    (
        summary::SummedUp(context.clone()),
        traditional::Traditional(context.clone()),
        folder::Folders(context.clone()),
        work_flow::CreateWorkFlow(context.clone()),
        webservice::Webservice(context.clone()),
        health::Health,
    )
}
