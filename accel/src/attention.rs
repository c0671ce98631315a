//! Three steps at once: keys by queries, their softmax, and values by that. The scores are the largest thing that the
//! encoder makes; here a piece of them goes through all three steps while it is in the cache.

use whisper_rs_sys as sys;

use crate::{
    crew::{Crew, part},
    product::{Block, Product},
    softmax::Softmax,
    tensor::Tensor,
};

/// Columns of scores in a piece: three quarters of a MiB for 30 seconds of audio.
const PIECE: usize = 128;

/// Three steps of which each uses the result of the one before.
pub(crate) struct Attention {
    scores: Product,
    softmax: Softmax,
    values: Product,
}

impl Attention {
    /// The steps of three nodes; none when they do not fit together.
    ///
    /// # Safety
    /// The nodes and their sources must be valid tensors; their memory is not looked at.
    pub(crate) unsafe fn of([scores, softmax, values]: [&sys::ggml_tensor; 3]) -> Option<Self> {
        let follow = std::ptr::eq(softmax.src[0], scores) && std::ptr::eq(values.src[1], softmax);
        // SAFETY: by contract.
        let all = unsafe {
            Self { scores: Product::of(scores)?, softmax: Softmax::of(softmax)?, values: Product::of(values)? }
        };
        // The softmax of one piece must not end where keys and queries of another still are.
        (follow && all.softmax.is_in_place()).then_some(all)
    }

    /// Computes all three; each node has its result afterwards.
    ///
    /// # Safety
    /// As for [`Product::compute`] and [`Softmax::compute`]; the last result may lie where keys and queries are.
    pub(crate) unsafe fn compute(&self, crew: &mut Crew) {
        let [height, width, inner, outer] = self.values.result.sizes;
        let (batches, threads) = (inner * outer, crew.threads());
        let across = if batches.is_multiple_of(threads) { 1 } else { threads };
        let positions = self.scores.result.sizes[0];
        let mut spare = std::mem::take(&mut crew.spare);
        spare.resize(spare.len().max(height * width * batches), 0.0);
        // What is computed lies here until nobody needs keys and queries any more.
        let aside = Tensor::floats_at(spare.as_mut_ptr(), [height, width, inner, outer]);
        crew.share(batches * across, |index, desk| {
            let batch = [index / across % inner, index / across / inner];
            let columns = part(width, index % across, across);
            // SAFETY: the sources are there by contract, and no two threads have a column of a batch in common.
            unsafe {
                let keys = self.scores.weights_of(batch, &(0..positions), &mut desk.weights);
                let values = self.values.weights_of(batch, &(0..height), &mut desk.values);
                for start in columns.clone().step_by(PIECE) {
                    let columns = start..columns.end.min(start + PIECE);
                    let block = Block { rows: 0..positions, columns: columns.clone(), batch };
                    self.scores.block(&block, &keys, &mut desk.inputs, &self.scores.result);
                    columns.clone().for_each(|column| self.softmax.row(batch, column));
                    let block = Block { rows: 0..height, columns, batch };
                    self.values.block(&block, &values, &mut desk.inputs, &aside);
                }
            }
        });
        for row in 0..width * batches {
            let (column, batch) = (row % width, [row / width % inner, row / width / inner]);
            // SAFETY: both have this row, and are apart.
            unsafe {
                let target = self.values.result.row(batch, column).cast_mut();
                std::ptr::copy_nonoverlapping(aside.row(batch, column), target, height * size_of::<f32>());
            }
        }
        crew.spare = spare;
    }
}
