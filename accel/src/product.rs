//! One `GGML_OP_MUL_MAT`: result[b][j][i] = Σₖ weights[b'][i][k] · inputs[b][j][k], where several batches b of inputs may
//! share one b' of weights. Everything is added up in f32, whatever the weights are stored as.

use std::ops::Range;

use gemm::Parallelism;
use whisper_rs_sys as sys;

use crate::{
    crew::{Crew, part},
    tensor::{Floats, Tensor},
};

/// Products with fewer rows, columns or terms stay where they are: handing them over costs more than it saves.
const SMALL: usize = 32;
/// Rows that are worth a block of their own.
const ROWS: usize = 128;
/// Numbers that one desk has room for: 16 MiB.
const ROOM: usize = 1 << 22;

/// A product that can be computed here.
pub(crate) struct Product {
    weights: Tensor,
    inputs: Tensor,
    pub(crate) result: Tensor,
}

/// One piece of work: some rows and columns of one batch's result.
pub(crate) struct Block {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
    /// Indices in the two outer dimensions.
    pub(crate) batch: [usize; 2],
}

impl Product {
    /// The product that a node asks for; none when it is something else, or in a form that is not known here.
    ///
    /// # Safety
    /// The node and its sources must be valid tensors; their memory is not looked at.
    pub(crate) unsafe fn of(node: &sys::ggml_tensor) -> Option<Self> {
        if node.op != sys::ggml_op_GGML_OP_MUL_MAT {
            return None;
        }
        // SAFETY: a product has two sources, and they are valid by contract.
        let (weights, inputs) = unsafe { (Tensor::of(&*node.src[0])?, Tensor::of(&*node.src[1])?) };
        let result = Tensor::of(node)?;
        let fits = |outer: usize| weights.sizes[outer] > 0 && inputs.sizes[outer] % weights.sizes[outer] == 0;
        (result.has_plain_rows() && weights.sizes[0] == inputs.sizes[0] && fits(2) && fits(3)).then_some(Self {
            weights,
            inputs,
            result,
        })
    }

    /// Whether it is worth being handed over.
    pub(crate) fn is_large(&self) -> bool {
        let [rows, columns, ..] = self.result.sizes;
        [rows, columns, self.terms()].iter().all(|size| *size >= SMALL)
    }

    /// Computes it.
    ///
    /// # Safety
    /// All three tensors must have their memory, nobody may write to the sources nor use the result meanwhile, and the
    /// result must not lie in the sources.
    pub(crate) unsafe fn compute(&self, crew: &mut Crew) {
        let [height, width, batches, outer] = self.result.sizes;
        let (down, across) = self.blocks(crew.threads());
        crew.share(down * across * batches * outer, |index, desk| {
            let (index, column) = (index / across, index % across);
            let (batch, row) = (index / down, index % down);
            let batch = [batch % batches, batch / batches];
            let block = Block { rows: part(height, row, down), columns: part(width, column, across), batch };
            // SAFETY: the memory is there by contract, and no two blocks have a number of the result in common.
            unsafe {
                let weights = self.weights_of(batch, &block.rows, &mut desk.weights);
                self.block(&block, &weights, &mut desk.inputs, &self.result);
            }
        });
    }

    /// Into how many blocks each batch is cut, down and across: so many that every thread has as much to do, and that
    /// what has to be converted fits onto a desk.
    fn blocks(&self, threads: usize) -> (usize, usize) {
        let [height, width, batches, outer] = self.result.sizes;
        let wanted = if (batches * outer).is_multiple_of(threads) { 1 } else { threads };
        let down = wanted.min(height / ROWS).max(1);
        let across = wanted.div_ceil(down).min(width).max(1);
        let pieces = |tensor: &Tensor, size: usize| {
            if tensor.is_plain() { 1 } else { (size * self.terms()).div_ceil(ROOM).clamp(1, size.max(1)) }
        };
        (down.max(pieces(&self.weights, height)), across.max(pieces(&self.inputs, width)))
    }

    /// Some rows of the weights that a batch of inputs has.
    ///
    /// # Safety
    /// As for [`Product::compute`]; the rows must be there.
    pub(crate) unsafe fn weights_of(&self, batch: [usize; 2], rows: &Range<usize>, room: &mut Vec<f32>) -> Floats {
        let shared = [0, 1].map(|at| batch[at] / (self.inputs.sizes[at + 2] / self.weights.sizes[at + 2]));
        // SAFETY: by contract; as many batches share these weights.
        unsafe { self.weights.floats(shared, rows, room) }
    }

    /// Computes one block into a tensor like the result, from the weights of its rows.
    ///
    /// # Safety
    /// As for [`Product::compute`]; the block must lie in the result, and no other thread may compute one that overlaps.
    pub(crate) unsafe fn block(&self, block: &Block, left: &Floats, room: &mut Vec<f32>, result: &Tensor) {
        // SAFETY: rows, columns and batches lie within the tensors; gemm reads and writes exactly the numbers that the
        // sizes and strides name, and the strides were seen to be whole numbers of f32.
        unsafe {
            let right = self.inputs.floats(block.batch, &block.columns, room);
            let target = result.row(block.batch, block.columns.start).cast::<f32>().add(block.rows.start);
            gemm::gemm(
                block.rows.len(),
                block.columns.len(),
                self.terms(),
                target.cast_mut(),
                result.step(1),
                1,
                false,
                left.start,
                left.term,
                left.row,
                right.start,
                right.row,
                right.term,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }

    /// How many products are added up for each number of the result.
    fn terms(&self) -> usize {
        self.weights.sizes[0]
    }
}
