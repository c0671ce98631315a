//! `GGML_OP_SOFT_MAX` without a mask: each row of numbers as probabilities.

use whisper_rs_sys as sys;

use crate::{
    crew::{Crew, part},
    product::Product,
    tensor::Tensor,
    vectors::probabilities,
};

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
        // SAFETY: by contract.
        probabilities(unsafe { self.scores.row_copied(&self.result, batch, row) }, self.scale);
    }
}
