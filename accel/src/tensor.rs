//! ggml's tensors as far as products need them.

use std::{ffi::c_void, ops::Range};

use whisper_rs_sys as sys;

/// Where a tensor's numbers lie, and what they are.
pub(crate) struct Tensor {
    start: *const u8,
    numbers: Numbers,
    pub(crate) sizes: [usize; 4],
    /// Bytes from one number, row, matrix and batch to the next.
    strides: [usize; 4],
}

// SAFETY: the pointer is only followed by unsafe functions, whose callers answer for what other threads do.
unsafe impl Sync for Tensor {}

/// What a tensor's numbers are stored as.
#[derive(Clone, Copy)]
enum Numbers {
    F32,
    F16,
    /// Everything else that ggml can convert, above all quantised weights.
    Other(unsafe extern "C" fn(*const c_void, *mut f32, i64)),
}

/// Some rows of f32, with the numbers from one row to the next and from one term to the next.
pub(crate) struct Floats {
    pub(crate) start: *const f32,
    pub(crate) row: isize,
    pub(crate) term: isize,
}

impl Tensor {
    /// Reads a tensor's description; none when its numbers cannot be had as f32, or lie in an order that is not known.
    pub(crate) fn of(tensor: &sys::ggml_tensor) -> Option<Self> {
        let sizes = tensor.ne.map(|size| usize::try_from(size).unwrap_or(0));
        let strides = tensor.nb;
        // SAFETY: ggml has a constant for each of its types.
        let traits = unsafe { &*sys::ggml_get_type_traits(tensor.type_) };
        let numbers = match tensor.type_ {
            sys::ggml_type_GGML_TYPE_F32 => Numbers::F32,
            sys::ggml_type_GGML_TYPE_F16 => Numbers::F16,
            _ => Numbers::Other(traits.to_float?),
        };
        let is_known = match numbers {
            Numbers::F32 => strides.iter().all(|stride| stride.is_multiple_of(size_of::<f32>())),
            // ggml converts whole rows.
            _ => strides[0] == traits.type_size,
        };
        is_known.then_some(Self { start: tensor.data.cast_const().cast(), numbers, sizes, strides })
    }

    /// Floats one behind the other.
    pub(crate) fn floats_at(start: *mut f32, sizes: [usize; 4]) -> Self {
        let mut strides = [size_of::<f32>(); 4];
        for outer in 1..4 {
            strides[outer] = strides[outer - 1] * sizes[outer - 1];
        }
        Self { start: start.cast_const().cast(), numbers: Numbers::F32, sizes, strides }
    }

    /// Whether the numbers of each row are f32, one behind the other.
    pub(crate) fn has_plain_rows(&self) -> bool {
        self.is_plain() && self.strides[0] == size_of::<f32>()
    }

    /// Whether it has the same numbers in the same place as another one.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.start == other.start && self.sizes == other.sizes && self.strides == other.strides
    }

    /// Whether its numbers need no conversion.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.numbers, Numbers::F32)
    }

    /// A stride in numbers, for a tensor of f32.
    pub(crate) fn step(&self, dimension: usize) -> isize {
        // A tensor lies in memory, where no distance is larger than an isize.
        (self.strides[dimension] / size_of::<f32>()).cast_signed()
    }

    /// Where a row begins.
    ///
    /// # Safety
    /// The tensor must have its memory, and the row must be one of its rows.
    pub(crate) unsafe fn row(&self, [inner, outer]: [usize; 2], row: usize) -> *const u8 {
        // SAFETY: by contract.
        unsafe { self.start.add(row * self.strides[1] + inner * self.strides[2] + outer * self.strides[3]) }
    }

    /// A row of another tensor of plain rows, after this one's was copied there, unless it is the same.
    ///
    /// # Safety
    /// Both tensors must have their memory, be of the same size, and lie in the same place or apart; nobody else may use the
    /// row meanwhile.
    pub(crate) unsafe fn row_copied<'a>(&self, other: &Self, batch: [usize; 2], row: usize) -> &'a mut [f32] {
        let width = self.sizes[0];
        // SAFETY: by contract; rows of plain f32 lie one number behind the other.
        unsafe {
            let (source, target) = (self.row(batch, row), other.row(batch, row).cast_mut());
            if !std::ptr::eq(source, target) {
                std::ptr::copy_nonoverlapping(source, target, width * size_of::<f32>());
            }
            std::slice::from_raw_parts_mut(target.cast(), width)
        }
    }

    /// Some rows as f32: where they are, or converted into `room`.
    ///
    /// # Safety
    /// The tensor must have its memory, which nobody writes to, and the rows must be some of its rows.
    pub(crate) unsafe fn floats(&self, batch: [usize; 2], rows: &Range<usize>, room: &mut Vec<f32>) -> Floats {
        if self.is_plain() {
            // SAFETY: by contract.
            let start = unsafe { self.row(batch, rows.start) };
            return Floats { start: start.cast(), row: self.step(1), term: self.step(0) };
        }
        let width = self.sizes[0];
        room.resize(room.len().max(rows.len() * width), 0.0);
        let length = width as i64;
        for (row, target) in rows.clone().zip(room.chunks_exact_mut(width.max(1))) {
            // SAFETY: by contract there is such a row, which holds `width` numbers of this type one behind the other, and
            // the target has room for as many.
            unsafe {
                let source = self.row(batch, row);
                match self.numbers {
                    Numbers::Other(convert) => convert(source.cast(), target.as_mut_ptr(), length),
                    // Many times faster than the conversion that ggml names for this type.
                    _ => sys::ggml_cpu_fp16_to_fp32(source.cast(), target.as_mut_ptr(), length),
                }
            }
        }
        Floats { start: room.as_ptr(), row: width.cast_signed(), term: 1 }
    }
}
