//! Large matrix products for whisper.cpp on a CPU, as a backend of ggml.
//!
//! ggml's own kernels use half of what a CPU with AVX-512 can do in the encoder's large products, and a fifth in those of
//! attention. This hands both to the `gemm` crate. ggml asks every device of the kind that this registers before the CPU,
//! and after a GPU, whether it takes a step of a computation: it takes products of at least 32 rows, columns and terms
//! whose numbers lie in main memory. Everything else, single tokens above all, stays where it was.

mod abi;
mod attention;
mod crew;
mod device;
mod gelu;
mod product;
mod softmax;
mod tensor;
#[cfg(test)]
mod tests;
mod vectors;

use std::{ffi::CStr, sync::OnceLock};

use whisper_rs_sys as sys;

/// The ggml whose private structs `abi` declares.
const GGML: &CStr = c"0.9.5";

/// Why there is nothing to register.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// ggml's own kernels are as good there, or nobody has measured.
    #[error("this CPU has no AVX2 and FMA")]
    Cpu,
    /// The structs which ggml keeps to itself may have changed.
    #[error("the ggml that is linked is another one than this was written for: {0}")]
    Ggml(String),
}

/// Registers the backend with ggml; what whisper.cpp sets up afterwards uses it. Later calls only repeat the answer.
///
/// # Errors
/// [`Unavailable`] when this CPU or the ggml that is linked is none for it; everything then computes as before.
///
/// # Safety
/// No other thread may use ggml or whisper.cpp during the first call, because ggml's list of devices has no lock.
pub unsafe fn register() -> Result<(), Unavailable> {
    static DONE: OnceLock<Result<(), Unavailable>> = OnceLock::new();
    DONE.get_or_init(|| {
        check()?;
        // SAFETY: the registration lives as long as the process, and nobody else is in ggml by contract.
        unsafe { sys::ggml_backend_register(device::registration()) }
        Ok(())
    })
    .clone()
}

/// Whether the library is the one that we know, and the CPU has what makes this worth while.
fn check() -> Result<(), Unavailable> {
    if !has_kernels() {
        return Err(Unavailable::Cpu);
    }
    // SAFETY: the version is a constant string. The CPU's registration is there in every build; its first field is the
    // version of the structs in every version of them.
    let (version, structs) = unsafe {
        let cpu = sys::ggml_backend_cpu_reg().cast::<abi::Registration>();
        (CStr::from_ptr(sys::ggml_version()), (*cpu).api_version)
    };
    if version != GGML || structs != abi::API_VERSION {
        return Err(Unavailable::Ggml(format!("{}, structs {structs}", version.to_string_lossy())));
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
fn has_kernels() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_kernels() -> bool {
    false
}
