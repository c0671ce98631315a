//! The GPUs that this build can compute on, by name.

use std::ffi::{CStr, c_char};

use whisper_rs::whisper_rs_sys as sys;

use super::products;
use crate::{
    error::{Code, Error, Result},
    transcribe::protocol::Device,
};

/// A GPU as ggml has it.
struct Gpu {
    handle: sys::ggml_backend_dev_t,
    kind: String,
}

/// Every GPU, in ggml's order, which is also the order that whisper.cpp counts them in. Asking wakes their drivers.
pub(crate) fn devices() -> Vec<Device> {
    let gpus = gpus();
    let names = names(&gpus.iter().map(|gpu| gpu.kind.as_str()).collect::<Vec<_>>());
    let describe = |(gpu, name): (&Gpu, String)| {
        let (mut free, mut total) = (0, 0);
        // SAFETY: the device is one of ggml's, which live as long as the process; both numbers are written.
        let description = unsafe {
            sys::ggml_backend_dev_memory(gpu.handle, &raw mut free, &raw mut total);
            text(sys::ggml_backend_dev_description(gpu.handle))
        };
        Device { name, description, memory_total: total as u64, memory_free: free as u64 }
    };
    gpus.iter().zip(names).map(describe).collect()
}

/// The number of a device among the GPUs, after it was seen to work; none for `cpu`.
pub(super) fn gpu(device: &str) -> Result<Option<i32>> {
    if device == "cpu" {
        return Ok(None);
    }
    let gpus = gpus();
    let names = names(&gpus.iter().map(|gpu| gpu.kind.as_str()).collect::<Vec<_>>());
    let Some(at) = names.iter().position(|name| name == device) else {
        let here: Vec<&str> = std::iter::once("cpu").chain(names.iter().map(String::as_str)).collect();
        let detail = format!("There is no device \"{}\"; there are: {}", device.escape_debug(), here.join(", "));
        return Err(Error::new(Code::EngineFailed, detail));
    };
    // whisper.cpp goes over to the CPU without a word when a device does not start, so it is started here first.
    // SAFETY: the device is one of ggml's; the backend is freed once, and not at all when there is none.
    unsafe {
        let backend = sys::ggml_backend_dev_init(gpus[at].handle, std::ptr::null());
        if backend.is_null() {
            return Err(Error::new(Code::EngineFailed, format!("The device {device} does not start")));
        }
        sys::ggml_backend_free(backend);
    }
    Ok(i32::try_from(at).ok())
}

fn gpus() -> Vec<Gpu> {
    let _list = products::list();
    // SAFETY: ggml's list is made once and only read; its entries and their strings live as long as the process.
    unsafe {
        (0..sys::ggml_backend_dev_count())
            .map(|index| sys::ggml_backend_dev_get(index))
            .filter(|handle| {
                let kind = sys::ggml_backend_dev_type(*handle);
                kind == sys::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_GPU
                    || kind == sys::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_IGPU
            })
            .map(|handle| {
                let backend = sys::ggml_backend_dev_backend_reg(handle);
                Gpu { handle, kind: kind(&text(sys::ggml_backend_reg_name(backend))) }
            })
            .collect()
    }
}

/// # Safety
/// `string` must be null or a C string.
unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: by contract.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// Our word for a backend of ggml.
fn kind(backend: &str) -> String {
    match backend {
        "ROCm" => "hip".to_owned(),
        "MTL" => "metal".to_owned(),
        other => other.to_lowercase(),
    }
}

/// A name for each device: its kind and its number among that kind. There is usually one `metal`, which has no number.
fn names(kinds: &[&str]) -> Vec<String> {
    let name = |(at, kind): (usize, &&str)| match (kinds[..at].iter().filter(|other| *other == kind).count(), *kind) {
        (0, "metal") => "metal".to_owned(),
        (number, kind) => format!("{kind}:{number}"),
    };
    kinds.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_numbered_by_kind() {
        let kinds = ["CUDA", "Vulkan", "CUDA", "ROCm", "HIP", "MTL", "Metal"].map(kind);
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        assert_eq!(names(&kinds), ["cuda:0", "vulkan:0", "cuda:1", "hip:0", "hip:1", "metal", "metal:1"]);
    }

    #[test]
    fn a_device_that_is_not_there_is_named_with_those_that_are() {
        let error = gpu("cuda:99").unwrap_err();
        assert_eq!(error.code, Code::EngineFailed);
        assert!(error.detail.starts_with("There is no device \"cuda:99\"; there are: cpu"), "{error}");
        assert_eq!(gpu("cpu").unwrap(), None);
        assert!(devices().iter().all(|device| device.name != "cpu"));
    }
}
