//! `GGML_OP_SOFT_MAX` without a mask: each row of numbers as probabilities.

use whisper_rs_sys as sys;

use crate::{
    crew::{Crew, part},
    product::Product,
    tensor::Tensor,
};

/// Numbers that are worked on together; what the widest vectors hold.
const LANES: usize = 16;

/// A step that can be computed here.
pub(crate) struct Softmax {
    scores: Tensor,
    pub(crate) result: Tensor,
    scale: f32,
}

impl Softmax {
    /// The step that a node asks for; none when it is something else, or in a form that is not known here.
    ///
    /// # Safety
    /// The node and its sources must be valid tensors; their memory is not looked at.
    pub(crate) unsafe fn of(node: &sys::ggml_tensor) -> Option<Self> {
        // A mask, its slope, and the scores of sinks.
        let has_more = !node.src[1].is_null() || !node.src[2].is_null() || node.op_params[1] != 0;
        if node.op != sys::ggml_op_GGML_OP_SOFT_MAX || has_more {
            return None;
        }
        // SAFETY: the step has a source, which is valid by contract.
        let (scores, result) = unsafe { (Tensor::of(&*node.src[0])?, Tensor::of(node)?) };
        let scale = f32::from_bits(node.op_params[0].cast_unsigned());
        (scores.has_plain_rows() && result.has_plain_rows()).then_some(Self { scores, result, scale })
    }

    /// Whether it follows a product that is computed here: alone it is better off where it was.
    ///
    /// # Safety
    /// As for [`Softmax::of`].
    pub(crate) unsafe fn follows(node: &sys::ggml_tensor) -> bool {
        // SAFETY: by contract.
        unsafe {
            Self::of(node).is_some()
                && (&*node.src[0]).op == sys::ggml_op_GGML_OP_MUL_MAT
                && Product::of(&*node.src[0]).is_some_and(|product| product.is_large())
        }
    }

    /// Whether the result takes the place of the scores.
    pub(crate) fn is_in_place(&self) -> bool {
        self.scores.is_at(&self.result)
    }

    /// Computes it.
    ///
    /// # Safety
    /// Both tensors must have their memory, which nobody else uses meanwhile.
    pub(crate) unsafe fn compute(&self, crew: &mut Crew) {
        let [_, height, inner, outer] = self.result.sizes;
        let (rows, threads) = (height * inner * outer, crew.threads());
        crew.share(threads, |index, _| {
            for row in part(rows, index, threads) {
                let batch = [row / height % inner, row / height / inner];
                // SAFETY: each row is one thread's, and there by contract.
                unsafe { self.row(batch, row % height) }
            }
        });
    }

    /// Computes one row.
    ///
    /// # Safety
    /// As for [`Softmax::compute`], for this row.
    pub(crate) unsafe fn row(&self, batch: [usize; 2], row: usize) {
        let width = self.result.sizes[0];
        // SAFETY: rows of plain f32 lie one number behind the other; source and result are the same or apart.
        unsafe {
            let (source, target) = (self.scores.row(batch, row), self.result.row(batch, row).cast_mut());
            if !std::ptr::eq(source, target) {
                std::ptr::copy_nonoverlapping(source, target, width * size_of::<f32>());
            }
            probabilities(std::slice::from_raw_parts_mut(target.cast(), width), self.scale);
        }
    }
}

/// Turns scores into probabilities, with what this CPU has.
pub(crate) fn probabilities(row: &mut [f32], scale: f32) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f")]
        fn widest(row: &mut [f32], scale: f32) {
            plainly(row, scale);
        }
        #[target_feature(enable = "avx2,fma")]
        fn wide(row: &mut [f32], scale: f32) {
            plainly(row, scale);
        }
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the CPU has it.
            return unsafe { widest(row, scale) };
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has both.
            return unsafe { wide(row, scale) };
        }
    }
    plainly(row, scale);
}

#[inline(always)]
fn plainly(row: &mut [f32], scale: f32) {
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for lanes in whole.iter_mut() {
        for (number, most) in lanes.iter_mut().zip(&mut most) {
            *number *= scale;
            *most = if *number > *most { *number } else { *most };
        }
    }
    for number in rest.iter_mut() {
        *number *= scale;
        most[0] = most[0].max(*number);
    }
    let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0f32; LANES];
    for lanes in whole.iter_mut() {
        for (number, sum) in lanes.iter_mut().zip(&mut sums) {
            *number = exp(*number - most);
            *sum += *number;
        }
    }
    for number in rest.iter_mut() {
        *number = exp(*number - most);
        sums[0] += *number;
    }
    let share = 1.0 / sums.iter().sum::<f32>();
    row.iter_mut().for_each(|number| *number *= share);
}

/// e to the power of a number that is at most 0, within two units of the last place; 0 below -87. Written so that
/// compilers make vectors of it: the number is split into a power of two and a rest, for which a polynomial does.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding this leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    // ln 2 in two parts, the first with so few digits that the product is exact.
    let rest = whole.mul_add(-1.428_606_8e-6, whole.mul_add(-0.693_145_75, x));
    let sum = 1.388_888_9e-3f32
        .mul_add(rest, 8.333_334e-3)
        .mul_add(rest, 4.166_666_8e-2)
        .mul_add(rest, 1.666_666_7e-1)
        .mul_add(rest, 0.5)
        .mul_add(rest, 1.0)
        .mul_add(rest, 1.0);
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_e() {
        for step in 0..87_000 {
            let x = -(step as f32) / 1_000.0;
            let wanted = f64::from(x).exp();
            assert!((f64::from(exp(x)) - wanted).abs() <= 2.0 * f64::from(f32::EPSILON) * wanted, "{x}: {}", exp(x));
        }
        assert_eq!([exp(0.0), exp(-88.0), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
    }
}
