//! Who sent a request, as the check before its operation found.

use poem::{FromRequest, Request, RequestBody};

use crate::domain::{Caller, Scopes};

/// The caller of a request. Whoever passed no check may do nothing.
pub(super) struct Who(pub Caller);

impl<'a> FromRequest<'a> for Who {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let nobody = Caller { token: None, scopes: Scopes::default() };
        Ok(Self(request.data::<Caller>().copied().unwrap_or(nobody)))
    }
}
