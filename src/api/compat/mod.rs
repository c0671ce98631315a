//! The routes of the systems that trawl takes the place of.

mod work_flow;

pub(super) use self::work_flow::CreateWorkFlow;
