//! Places where tests make trawl die or err: the names that `FAILPOINTS` may set. Nothing of this is in a release build.
//!
//! A test's daemon gets for example `FAILPOINTS=queue::claimed=2*off->1*return`: it is killed when it comes to that place
//! for the third time.

#![allow(unused_variables, reason = "in a release build nothing is left of what takes them")]

/// Reads `FAILPOINTS`; what it names holds as long as the process lives.
pub fn arm() {
    if fail::has_failpoints() {
        std::mem::forget(fail::FailScenario::setup());
    }
}

/// Dies here as by `kill -9`, if a test wants it.
#[allow(unused_variables, reason = "the macro is empty in a release build")]
pub fn point(name: &str) {
    fail::fail_point!(name, |_| {
        // SAFETY: both take and return plain numbers.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    });
}

/// Whether a test has set `name`.
#[allow(unused_variables, reason = "the macro is empty in a release build")]
pub fn is_set(name: &str) -> bool {
    fail::fail_point!(name, |_| true);
    false
}

/// Whether a test has set anything.
pub fn is_armed() -> bool {
    !fail::list().is_empty()
}

/// Fails here as the disk does, if a test wants it: `name=return(28)` is a full one, `return(5)` a broken one.
pub fn disk(name: &str) -> std::io::Result<()> {
    fail::fail_point!(name, |number| {
        let number = number.and_then(|number| number.parse().ok());
        Err(std::io::Error::from_raw_os_error(number.unwrap_or(libc::EIO)))
    });
    Ok(())
}
