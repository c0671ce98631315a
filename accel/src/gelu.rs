//! `GGML_UNARY_OP_GELU`: the activation between two products, over many numbers.

use whisper_rs_sys as sys;

use crate::{
    crew::{Crew, part},
    tensor::Tensor,
    vectors::gelu,
};

/// Fewer numbers stay where they are.
const SMALL: usize = 1 << 16;

/// A step that can be computed here.
pub(crate) struct Gelu {
    source: Tensor,
    result: Tensor,
}

impl Gelu {
    /// The step that a node asks for; none when it is something else, or in a form that is not known here.
    ///
    /// # Safety
    /// The node and its source must be valid tensors; their memory is not looked at.
    pub(crate) unsafe fn of(node: &sys::ggml_tensor) -> Option<Self> {
        let is_gelu = node.op == sys::ggml_op_GGML_OP_UNARY
            && node.op_params[0].cast_unsigned() == sys::ggml_unary_op_GGML_UNARY_OP_GELU;
        if !is_gelu {
            return None;
        }
        // SAFETY: the step has a source, which is valid by contract.
        let (source, result) = unsafe { (Tensor::of(&*node.src[0])?, Tensor::of(node)?) };
        (source.has_plain_rows() && result.has_plain_rows()).then_some(Self { source, result })
    }

    /// Whether it is worth being handed over.
    pub(crate) fn is_large(&self) -> bool {
        self.result.sizes.iter().product::<usize>() >= SMALL
    }

    /// Computes it.
    ///
    /// # Safety
    /// Both tensors must have their memory, which nobody else uses meanwhile; they must be the same or apart.
    pub(crate) unsafe fn compute(&self, crew: &mut Crew) {
        let [_, height, inner, outer] = self.result.sizes;
        let (rows, threads) = (height * inner * outer, crew.threads());
        crew.share(threads, |index, _| {
            for row in part(rows, index, threads) {
                let batch = [row / height % inner, row / height / inner];
                // SAFETY: each row is one thread's, and there by contract.
                gelu(unsafe { self.source.row_copied(&self.result, batch, row % height) });
            }
        });
    }
}
