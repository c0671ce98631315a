//! The routes of the systems that trawl takes the place of.
//!
//! Each file or folder has the routes of one of them: their fields, defaults and words; what stands behind is everyone's.

mod folder;
mod health;
mod pcm;
pub(super) mod services;
mod summary;
mod traditional;
mod waited;
mod webservice;
mod whisper_api;
mod work_flow;

use super::native::Context;

/// Every route of theirs.
pub(super) type Routes = (
    (summary::SummedUp, traditional::Traditional),
    folder::Folders,
    whisper_api::Routes,
    services::Routes,
    work_flow::CreateWorkFlow,
    webservice::Webservice,
    health::Health,
);

/// Every route of theirs.
pub(super) fn routes(context: &Context) -> Routes {
    (
        (summary::SummedUp(context.clone()), traditional::Traditional(context.clone())),
        folder::Folders(context.clone()),
        whisper_api::routes(context),
        services::routes(context),
        work_flow::CreateWorkFlow(context.clone()),
        webservice::Webservice(context.clone()),
        health::Health,
    )
}
