//! Faster matrix products on the CPU: the package `accel`, registered with ggml before the first model is loaded.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while ggml's list of devices is read or added to: it has no lock of its own.
pub(super) fn list() -> MutexGuard<'static, ()> {
    static LIST: Mutex<()> = Mutex::new(());
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets what is loaded from now on use them, where CPU and build allow it, and unless `TRAWL_ACCEL=off` forbids it.
pub(super) fn register() {
    #[cfg(feature = "accel")]
    if std::env::var_os("TRAWL_ACCEL").is_none_or(|value| value != "off") {
        let list = list();
        // SAFETY: ggml's list is used with the lock held, and by the states of models; a process computes on one device, so
        // that no model was loaded in it before the first call.
        let registered = unsafe { accel::register() };
        drop(list);
        if let Err(reason) = registered {
            tracing::debug!("products stay with ggml: {reason}");
        }
    }
}
