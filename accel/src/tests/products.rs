//! Products of all the shapes and types that are taken, and those that are not.

use std::{
    ffi::CStr,
    ptr,
    sync::{Mutex, PoisonError},
};

use proptest::prelude::*;
use whisper_rs_sys as sys;

/// How a source lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// One row behind the other.
    Plain,
    /// The heads of a row beside each other, as attention has them: dimensions 1 and 2 exchanged.
    Heads,
    /// The numbers of a row far from each other: dimensions 0 and 1 exchanged. Only f32 can be read so.
    Columns,
}

/// A product to compute.
#[derive(Clone, Copy, Debug)]
struct Case {
    kind: sys::ggml_type,
    other: sys::ggml_type,
    terms: i64,
    rows: i64,
    columns: i64,
    /// Batches of weights, and how many batches of inputs share each.
    batches: [i64; 2],
    shared: [i64; 2],
    weights: Order,
    inputs: Order,
    threads: i32,
}

const CASE: Case = Case {
    kind: sys::ggml_type_GGML_TYPE_F16,
    other: sys::ggml_type_GGML_TYPE_F32,
    terms: 64,
    rows: 96,
    columns: 40,
    batches: [1, 1],
    shared: [1, 1],
    weights: Order::Plain,
    inputs: Order::Plain,
    threads: 2,
};

/// Memory of ggml for one test.
struct Memory(*mut sys::ggml_context);

impl Memory {
    fn new(bytes: usize) -> Self {
        // ggml makes its tables in the first call and has a lock for it only while it counts; tests run side by side.
        static FIRST: Mutex<()> = Mutex::new(());
        let _guard = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        let params = sys::ggml_init_params { mem_size: bytes, mem_buffer: ptr::null_mut(), no_alloc: false };
        // SAFETY: plain numbers.
        let context = unsafe { sys::ggml_init(params) };
        assert!(!context.is_null());
        Self(context)
    }

    /// A tensor of this size with numbers between -1 and 1, and what it holds after rounding to its type, in the order of
    /// its indices.
    fn tensor(
        &self,
        kind: sys::ggml_type,
        sizes: [i64; 4],
        order: Order,
        seed: u32,
    ) -> (*mut sys::ggml_tensor, Vec<f64>) {
        let [a, b, c, d] = sizes;
        let (stored, permutation) = match order {
            Order::Plain => ([a, b, c, d], [0, 1, 2, 3]),
            Order::Heads => ([a, c, b, d], [0, 2, 1, 3]),
            Order::Columns => ([b, a, c, d], [1, 0, 2, 3]),
        };
        let count = usize::try_from(stored.iter().product::<i64>()).unwrap();
        let numbers = noise(count, seed);
        let mut held = vec![0.0f32; count];
        // SAFETY: the context has room for the tensor, whose memory is filled in its own type, row by row, and read back.
        let tensor = unsafe {
            let tensor = sys::ggml_new_tensor_4d(self.0, kind, stored[0], stored[1], stored[2], stored[3]);
            let data = (*tensor).data;
            let rows = stored[1] * stored[2] * stored[3];
            match (*sys::ggml_get_type_traits(kind)).to_float {
                Some(convert) if kind != sys::ggml_type_GGML_TYPE_F32 => {
                    sys::ggml_quantize_chunk(kind, numbers.as_ptr(), data, 0, rows, stored[0], ptr::null());
                    convert(data, held.as_mut_ptr(), count as i64);
                }
                _ => {
                    ptr::copy_nonoverlapping(numbers.as_ptr(), data.cast(), count);
                    held.clone_from(&numbers);
                }
            }
            sys::ggml_permute(self.0, tensor, permutation[0], permutation[1], permutation[2], permutation[3])
        };
        let mut indexed = Vec::with_capacity(count);
        for at in indices(sizes) {
            let [i, j, k, l] = at;
            let place = match order {
                Order::Plain => ((l * c + k) * b + j) * a + i,
                Order::Heads => ((l * b + j) * c + k) * a + i,
                Order::Columns => ((l * c + k) * a + i) * b + j,
            };
            indexed.push(f64::from(held[usize::try_from(place).unwrap()]));
        }
        (tensor, indexed)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sys::ggml_free(self.0) }
    }
}

/// Our backend.
struct Ours(sys::ggml_backend_t);

impl Ours {
    fn new(threads: i32) -> Self {
        // SAFETY: the registration is there as long as the process, and knows the function by this name.
        unsafe {
            let registration = crate::device::registration();
            let device = sys::ggml_backend_reg_dev_get(registration, 0);
            let backend = sys::ggml_backend_dev_init(device, ptr::null());
            let name = c"ggml_backend_set_n_threads".as_ptr();
            let set = sys::ggml_backend_reg_get_proc_address(registration, name);
            let set: sys::ggml_backend_set_n_threads_t = std::mem::transmute(set);
            set.unwrap()(backend, threads);
            Self(backend)
        }
    }

    fn takes(&self, node: *const sys::ggml_tensor) -> bool {
        // SAFETY: both are valid.
        unsafe { sys::ggml_backend_supports_op(self.0, node) }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sys::ggml_backend_free(self.0) }
    }
}

fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn indices([a, b, c, d]: [i64; 4]) -> impl Iterator<Item = [i64; 4]> {
    (0..d).flat_map(move |l| (0..c).flat_map(move |k| (0..b).flat_map(move |j| (0..a).map(move |i| [i, j, k, l]))))
}

/// Computes a product with the backend and compares every number with the sum in f64.
#[track_caller]
fn check(case: Case) {
    let Case { kind, other, terms, rows, columns, batches: [inner, outer], shared, threads, .. } = case;
    let memory = Memory::new(64 << 20);
    let (left, a) = memory.tensor(kind, [terms, rows, inner, outer], case.weights, 1);
    let (right, b) = memory.tensor(other, [terms, columns, inner * shared[0], outer * shared[1]], case.inputs, 2);
    let ours = Ours::new(threads);
    // SAFETY: all tensors are of one context, which has room for the product and its graph.
    let (node, result) = unsafe {
        let node = sys::ggml_mul_mat(memory.0, left, right);
        let graph = sys::ggml_new_graph(memory.0);
        sys::ggml_build_forward_expand(graph, node);
        assert_eq!(sys::ggml_backend_graph_compute(ours.0, graph), sys::ggml_status_GGML_STATUS_SUCCESS, "{case:?}");
        let count = usize::try_from(sys::ggml_nelements(node)).unwrap();
        (node, std::slice::from_raw_parts((*node).data.cast::<f32>(), count))
    };
    let is_large = [terms, rows, columns].iter().all(|size| *size >= 32);
    assert_eq!(ours.takes(node), is_large, "{case:?}");
    let sizes = [rows, columns, inner * shared[0], outer * shared[1]];
    // As much as adding so many numbers up to 1 in f32 may lose.
    let most = terms as f64 * f64::from(f32::EPSILON);
    for (at, got) in indices(sizes).zip(result) {
        let [row, column, batch, group] = at;
        let from = (((group / shared[1]) * inner + batch / shared[0]) * rows + row) * terms;
        let with = ((group * inner * shared[0] + batch) * columns + column) * terms;
        let term = |k: i64| a[usize::try_from(from + k).unwrap()] * b[usize::try_from(with + k).unwrap()];
        let wanted: f64 = (0..terms).map(term).sum();
        assert!((f64::from(*got) - wanted).abs() <= most, "{at:?}: {got} for {wanted}; {case:?}");
    }
}

#[test]
fn the_products_of_attention() {
    // Keys and queries of eight heads beside each other; values with an odd number of positions.
    let heads = Case { batches: [8, 1], weights: Order::Heads, inputs: Order::Heads, terms: 64, ..CASE };
    check(Case { rows: 150, columns: 150, ..heads });
    check(Case { terms: 150, rows: 64, columns: 150, weights: Order::Plain, inputs: Order::Plain, ..heads });
    check(Case { terms: 151, rows: 33, columns: 149, threads: 3, ..heads });
}

/// Attention as whisper.cpp builds it, in memory that ggml hands out again as soon as it may.
#[track_caller]
fn check_attention(heads: i64, positions: i64, width: i64, threads: i32) {
    let memory = Memory::new(64 << 20);
    let half = sys::ggml_type_GGML_TYPE_F16;
    let (keys, k) = memory.tensor(half, [width, positions, heads, 1], Order::Heads, 1);
    let (queries, q) = memory.tensor(sys::ggml_type_GGML_TYPE_F32, [width, positions, heads, 1], Order::Heads, 2);
    let (values, v) = memory.tensor(half, [positions, width, heads, 1], Order::Plain, 3);
    let ours = Ours::new(threads);
    // SAFETY: all tensors are of one context, which has room for the steps and their graph.
    let result = unsafe {
        let scores = sys::ggml_mul_mat(memory.0, keys, queries);
        let shares = sys::ggml_soft_max_ext_inplace(memory.0, scores, ptr::null_mut(), 0.5, 0.0);
        let node = sys::ggml_mul_mat(memory.0, values, shares);
        let graph = sys::ggml_new_graph(memory.0);
        sys::ggml_build_forward_expand(graph, node);
        assert!(ours.takes(scores) && ours.takes(shares) && ours.takes(node));
        // Queries are not needed after the first step, so that the last one may end there.
        (*node).data = (*(*queries).view_src).data;
        assert_eq!(sys::ggml_backend_graph_compute(ours.0, graph), sys::ggml_status_GGML_STATUS_SUCCESS);
        let count = usize::try_from(sys::ggml_nelements(node)).unwrap();
        std::slice::from_raw_parts((*node).data.cast::<f32>(), count)
    };
    let index = |at: i64| usize::try_from(at).unwrap();
    for head in 0..heads {
        for query in 0..positions {
            let dot = |key: i64| -> f64 {
                let (key, query) = ((head * positions + key) * width, (head * positions + query) * width);
                (0..width).map(|at| k[index(key + at)] * q[index(query + at)]).sum()
            };
            let powers: Vec<f64> = (0..positions).map(|key| (0.5 * dot(key)).exp()).collect();
            let sum: f64 = powers.iter().sum();
            for at in 0..width {
                let from = (head * width + at) * positions;
                let wanted: f64 = (0..positions).map(|key| powers[index(key)] / sum * v[index(from + key)]).sum();
                let got = f64::from(result[index((head * positions + query) * width + at)]);
                assert!((got - wanted).abs() < 1e-5, "head {head}, query {query}, {at}: {got} for {wanted}");
            }
        }
    }
}

#[test]
fn attention_at_one_go() {
    check_attention(2, 150, 64, 2);
    check_attention(3, 151, 33, 2);
    check_attention(1, 300, 32, 1);
}

#[test]
fn softmax_and_activation_by_themselves() {
    let memory = Memory::new(16 << 20);
    let (numbers, held) = memory.tensor(sys::ggml_type_GGML_TYPE_F32, [301, 250, 2, 1], Order::Plain, 1);
    let ours = Ours::new(2);
    // SAFETY: the tensors are of this context, which has room.
    let (active, shares) = unsafe {
        let (active, shares) = (sys::ggml_gelu(memory.0, numbers), sys::ggml_soft_max(memory.0, numbers));
        assert!(ours.takes(active) && !ours.takes(shares), "a softmax alone is better off where it was");
        let few = sys::ggml_view_2d(memory.0, numbers, 301, 5, 301 * 4, 0);
        assert!(!ours.takes(sys::ggml_gelu(memory.0, few)));
        assert!(!ours.takes(sys::ggml_silu(memory.0, numbers)));
        let graph = sys::ggml_new_graph(memory.0);
        sys::ggml_build_forward_expand(graph, active);
        sys::ggml_build_forward_expand(graph, shares);
        assert_eq!(sys::ggml_backend_graph_compute(ours.0, graph), sys::ggml_status_GGML_STATUS_SUCCESS);
        let floats = |node: *mut sys::ggml_tensor| std::slice::from_raw_parts((*node).data.cast::<f32>(), held.len());
        (floats(active), floats(shares))
    };
    for (row, (active, shares)) in held.chunks(301).zip(active.chunks(301).zip(shares.chunks(301))) {
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        for (x, (active, share)) in row.iter().zip(active.iter().zip(shares)) {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * x * (1.0 + 0.044_715 * x * x);
            assert!((f64::from(*active) - 0.5 * x * (1.0 + inner.tanh())).abs() < 1e-6, "{x}: {active}");
            assert!((f64::from(*share) - x.exp() / sum).abs() < 1e-8, "{x}: {share}");
        }
    }
}

#[test]
fn all_types_and_orders() {
    check(CASE);
    check(Case { kind: sys::ggml_type_GGML_TYPE_Q8_0, ..CASE });
    check(Case { kind: sys::ggml_type_GGML_TYPE_Q5_0, rows: 300, threads: 4, ..CASE });
    check(Case { kind: sys::ggml_type_GGML_TYPE_F32, inputs: Order::Columns, ..CASE });
    // A convolution: both sides are halves.
    check(Case { other: sys::ggml_type_GGML_TYPE_F16, terms: 96, rows: 300, columns: 50, ..CASE });
}

#[test]
fn weights_that_do_not_fit_onto_a_desk_are_converted_in_pieces() {
    check(Case { terms: 2_048, rows: 2_100, columns: 33, threads: 1, ..CASE });
}

#[test]
fn batches_of_inputs_share_weights() {
    check(Case { batches: [2, 2], shared: [3, 2], threads: 5, ..CASE });
}

#[test]
fn what_is_small_or_unknown_is_left_to_the_cpu() {
    check(Case { columns: 5, ..CASE });
    check(Case { rows: 31, ..CASE });
    let memory = Memory::new(1 << 20);
    let ours = Ours::new(1);
    let (halves, _) = memory.tensor(sys::ggml_type_GGML_TYPE_F16, [64, 64, 1, 1], Order::Plain, 1);
    let (floats, _) = memory.tensor(sys::ggml_type_GGML_TYPE_F32, [64, 64, 1, 1], Order::Plain, 2);
    // SAFETY: the tensors are of this context, which has room.
    unsafe {
        assert!(ours.takes(sys::ggml_mul_mat(memory.0, halves, floats)));
        assert!(!ours.takes(sys::ggml_add(memory.0, floats, floats)));
        assert!(ours.takes(sys::ggml_reshape_1d(memory.0, floats, 4_096)));
        // ggml itself refuses transposed weights, so the node is made first.
        let node = sys::ggml_mul_mat(memory.0, halves, floats);
        (*node).src[0] = sys::ggml_transpose(memory.0, halves);
        assert!(!ours.takes(node));
    }
}

#[test]
fn two_registrations_make_one_device() {
    // SAFETY: no other test of this package uses ggml's list.
    unsafe {
        let before = sys::ggml_backend_dev_count();
        let first = crate::register();
        assert_eq!(crate::register(), first);
        if first.is_ok() {
            assert_eq!(sys::ggml_backend_dev_count(), before + 1);
            let device = sys::ggml_backend_dev_by_name(c"accel".as_ptr());
            let kind = sys::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_ACCEL;
            assert_eq!(sys::ggml_backend_dev_type(device), kind);
            let mut props = std::mem::MaybeUninit::uninit();
            sys::ggml_backend_dev_get_props(device, props.as_mut_ptr());
            let props = props.assume_init();
            assert_eq!((CStr::from_ptr(props.name), props.type_), (c"accel", kind));
        }
    }
}

fn orders(kind: sys::ggml_type) -> impl Strategy<Value = Order> {
    let many: usize = if kind == sys::ggml_type_GGML_TYPE_F32 { 3 } else { 2 };
    (0..many).prop_map(|at| [Order::Plain, Order::Heads, Order::Columns][at])
}

fn cases() -> impl Strategy<Value = Case> {
    let kinds = [sys::ggml_type_GGML_TYPE_F32, sys::ggml_type_GGML_TYPE_F16, sys::ggml_type_GGML_TYPE_Q8_0];
    prop::sample::select(kinds.to_vec()).prop_flat_map(move |kind| {
        let other = prop::sample::select(kinds[..2].to_vec());
        let sizes = (1i64..80, 1i64..150, 1i64..60);
        other.prop_flat_map(move |other| {
            let batches = ([1i64..4, 1i64..3], [1i64..4, 1i64..3]);
            let sizes = sizes.clone();
            (sizes, batches, orders(kind), orders(other), 1i32..5).prop_map(
                move |((terms, rows, columns), (batches, shared), weights, inputs, threads)| {
                    // Quantised rows are whole blocks of 32.
                    let terms = if kind == sys::ggml_type_GGML_TYPE_Q8_0 { (terms + 31) / 32 * 32 } else { terms };
                    // ggml refuses transposed weights.
                    let weights = if weights == Order::Columns { Order::Plain } else { weights };
                    Case { kind, other, terms, rows, columns, batches, shared, weights, inputs, threads }
                },
            )
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_product_is_right(case in cases()) {
        check(case);
    }
}
