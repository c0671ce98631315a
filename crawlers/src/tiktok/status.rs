//! What TikTok's status numbers mean.

use serde_json::Value;

use super::miss::Miss;
use crate::{ErrorClass, loose};

/// The private account, which is also said about posts that are there.
const PRIVATE_ACCOUNT: u64 = 10_222;
/// Gone, or not for this address: TikTok says the same of both.
const GONE_OR_REFUSED: u64 = 10_204;

/// What the status of a body says; none where it is no obstacle. There may be two fields, and the one that is not zero
/// counts. `is_there`: whether the body holds what was asked for.
pub(super) fn judge(body: &Value, is_there: bool) -> Option<Miss> {
    let code =
        ["statusCode", "status_code"].iter().find_map(|key| loose::number(&body[*key]).filter(|code| *code > 0))?;
    let answer = |class, message: &str| Some(Miss::answer(class, message));
    match code {
        PRIVATE_ACCOUNT if is_there => None,
        GONE_OR_REFUSED => Some(Miss::doubt(
            ErrorClass::NotFound,
            "TikTok says that this is not there (any more). It says the same to addresses that it does not like.",
        )),
        10_201 | 100_002 => answer(ErrorClass::NotFound, "TikTok says that this post is not there (any more)."),
        10_202 | 10_221 => answer(ErrorClass::NotFound, "TikTok says that there is no such user (any more)."),
        10_223 => answer(ErrorClass::NotFound, "TikTok has banned this account."),
        10_216 => answer(ErrorClass::Private, "The post is private: only its author may see it."),
        PRIVATE_ACCOUNT => answer(ErrorClass::Private, "The account is private: only its followers may see its posts."),
        10_231 => answer(ErrorClass::RegionBlocked, "TikTok does not show this post in this machine's region."),
        100_004 => {
            answer(ErrorClass::Unavailable, "TikTok does not show this post: it was removed, or not for this region.")
        }
        10_000 | 10_101 => Some(Miss::failed(
            ErrorClass::Captcha,
            "TikTok asks for proof of being human. Try again later, or use the cookie of a browser.",
        )),
        _ => Some(Miss::failed(ErrorClass::Blocked, format!("TikTok refuses with status {code}. Try again later."))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class(body: &Value) -> Option<(char, ErrorClass)> {
        Some(match judge(body, false)? {
            Miss::Answer(error) => ('a', error.class),
            Miss::Doubt(error) => ('d', error.class),
            Miss::Failed(error) => ('f', error.class),
        })
    }

    #[test]
    fn the_field_that_is_not_zero_counts() {
        assert_eq!(class(&json!({"statusCode": 10_204, "status_code": 0})), Some(('d', ErrorClass::NotFound)));
        assert_eq!(class(&json!({"statusCode": 0, "status_code": "10216"})), Some(('a', ErrorClass::Private)));
        assert_eq!(class(&json!({"statusCode": 0})), None);
        assert_eq!(class(&json!({})), None);
        assert_eq!(class(&json!({"statusCode": 77})), Some(('f', ErrorClass::Blocked)));
        assert_eq!(class(&json!({"statusCode": 10_101})), Some(('f', ErrorClass::Captcha)));
        assert_eq!(class(&json!({"statusCode": 10_231})), Some(('a', ErrorClass::RegionBlocked)));
    }

    #[test]
    fn a_private_account_does_not_hide_a_post_that_is_there() {
        let body = json!({"statusCode": 10_222});
        assert!(judge(&body, true).is_none());
        assert_eq!(class(&body), Some(('a', ErrorClass::Private)));
    }
}
