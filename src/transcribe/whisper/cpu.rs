//! Whether this CPU has the instructions that whisper.cpp was compiled for. Without this check the first of them that is
//! missing ends the process with SIGILL.

use whisper_rs::whisper_rs_sys as sys;

use crate::error::{Code, Error, Result};

/// A set of instructions: its name, whether the build uses it, whether the CPU has it.
type Feature = (&'static str, bool, bool);

/// Refuses a CPU that lacks what this binary was built for; nothing of ggml needs to have run before.
pub fn cpu_check() -> Result<()> {
    compare(&features())
}

/// The names of the instructions that this binary uses and this CPU has.
pub fn cpu_features() -> Vec<&'static str> {
    features().into_iter().filter(|(_, built, here)| *built && *here).map(|(name, ..)| name).collect()
}

fn compare(features: &[Feature]) -> Result<()> {
    let missing: Vec<&str> =
        features.iter().filter(|(_, built, here)| *built && !here).map(|(name, ..)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!("This trawl was built for another CPU: this one has no {}", missing.join(", "));
    Err(Error::new(Code::EngineFailed, detail)
        .with_hint(
            "Build it on this machine, or anywhere with GGML_NATIVE=OFF: that build runs wherever there is AVX2.",
        )
        .for_good())
}

/// Pairs of a feature's name, ggml's constant for it, and the test of this CPU.
macro_rules! features {
    ($($name:literal $built:ident $here:expr;)*) => {
        // SAFETY: these functions return constants.
        vec![$(($name, unsafe { sys::$built() } != 0, $here),)*]
    };
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<Feature> {
    use std::arch::is_x86_feature_detected as here;
    features! {
        "SSE3" ggml_cpu_has_sse3 here!("sse3");
        "SSSE3" ggml_cpu_has_ssse3 here!("ssse3");
        "AVX" ggml_cpu_has_avx here!("avx");
        "AVX2" ggml_cpu_has_avx2 here!("avx2");
        "F16C" ggml_cpu_has_f16c here!("f16c");
        "FMA" ggml_cpu_has_fma here!("fma");
        "BMI2" ggml_cpu_has_bmi2 here!("bmi2");
        "AVX-VNNI" ggml_cpu_has_avx_vnni here!("avxvnni");
        "AVX-512" ggml_cpu_has_avx512 here!("avx512f");
        "AVX-512 VBMI" ggml_cpu_has_avx512_vbmi here!("avx512vbmi");
        "AVX-512 VNNI" ggml_cpu_has_avx512_vnni here!("avx512vnni");
        "AVX-512 BF16" ggml_cpu_has_avx512_bf16 here!("avx512bf16");
        "AMX-INT8" ggml_cpu_has_amx_int8 has_amx_int8();
    }
}

/// The standard library does not tell yet.
#[cfg(target_arch = "x86_64")]
fn has_amx_int8() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & (1 << 25) != 0
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<Feature> {
    use std::arch::is_aarch64_feature_detected as here;
    features! {
        "NEON" ggml_cpu_has_neon here!("neon");
        "FP16" ggml_cpu_has_fp16_va here!("fp16");
        "dot product" ggml_cpu_has_dotprod here!("dotprod");
        "I8MM" ggml_cpu_has_matmul_int8 here!("i8mm");
        "SVE" ggml_cpu_has_sve here!("sve");
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<Feature> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let error = compare(&[("AVX", true, true), ("AVX2", true, false), ("FMA", false, false), ("AMX", true, false)]);
        let error = error.unwrap_err();
        assert_eq!(error.detail, "This trawl was built for another CPU: this one has no AVX2, AMX");
        assert!(error.hint.contains("GGML_NATIVE=OFF") && !error.is_retryable());
        compare(&[("AVX", true, true), ("AVX2", false, true), ("FMA", false, false)]).unwrap();
        compare(&[]).unwrap();
    }

    #[test]
    fn the_cpu_that_built_this_may_run_it() {
        cpu_check().unwrap();
        assert!(cfg!(not(any(target_arch = "x86_64", target_arch = "aarch64"))) || !features().is_empty());
    }
}
