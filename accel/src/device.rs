//! The backend as ggml sees it: one device beside the CPU, which works in main memory and takes large products only.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr,
};

use whisper_rs_sys as sys;
use whisper_rs_sys::{
    ggml_backend_buffer_t, ggml_backend_buffer_type_t, ggml_backend_dev_props, ggml_backend_dev_t,
    ggml_backend_dev_type, ggml_backend_reg_t, ggml_backend_t, ggml_cgraph, ggml_status, ggml_tensor,
};

use crate::{
    abi::{API_VERSION, Backend, BackendTable, Device, DeviceTable, Registration, RegistrationTable},
    attention::Attention,
    crew::Crew,
    gelu::Gelu,
    product::Product,
    softmax::Softmax,
};

const NAME: &CStr = c"accel";
const DESCRIPTION: &CStr = c"matrix products of the gemm crate";

/// What tells our backends from others: random, once for all.
static GUID: Fixed<sys::ggml_guid> =
    Fixed([0x8d, 0x1f, 0x52, 0xe6, 0x3b, 0x90, 0x4c, 0xa7, 0x96, 0x05, 0xd8, 0x7e, 0x21, 0xbc, 0x4f, 0x13]);

static REGISTRATION: Fixed<Registration> = Fixed(Registration {
    api_version: API_VERSION,
    iface: RegistrationTable {
        get_name: registration_name,
        get_device_count: device_count,
        get_device: device,
        get_proc_address: function,
    },
    context: ptr::null_mut(),
});

static DEVICE: Fixed<Device> = Fixed(Device {
    iface: DeviceTable {
        get_name: device_name,
        get_description: device_description,
        get_memory: device_memory,
        get_type: device_type,
        get_props: device_props,
        init_backend: new_backend,
        get_buffer_type: buffer_type,
        get_host_buffer_type: None,
        buffer_from_host_ptr: buffer_from,
        supports_op: takes,
        supports_buft: reads,
        offload_op: None,
        event_new: None,
        event_free: None,
        event_synchronize: None,
    },
    reg: (&raw const REGISTRATION).cast_mut().cast(),
    context: ptr::null_mut(),
});

/// Something that is never written to.
#[repr(transparent)]
struct Fixed<T>(T);

// SAFETY: neither we nor ggml write to these: ggml only calls the functions and hands the pointers round.
unsafe impl<T> Sync for Fixed<T> {}

/// What ggml registers.
pub(crate) fn registration() -> ggml_backend_reg_t {
    (&raw const REGISTRATION).cast_mut().cast()
}

unsafe extern "C" fn registration_name(_: ggml_backend_reg_t) -> *const c_char {
    NAME.as_ptr()
}

unsafe extern "C" fn device_count(_: ggml_backend_reg_t) -> usize {
    1
}

unsafe extern "C" fn device(_: ggml_backend_reg_t, _: usize) -> ggml_backend_dev_t {
    (&raw const DEVICE).cast_mut().cast()
}

/// The functions that ggml knows by name: how many threads may compute.
unsafe extern "C" fn function(_: ggml_backend_reg_t, name: *const c_char) -> *mut c_void {
    // SAFETY: ggml asks with a C string.
    if unsafe { CStr::from_ptr(name) } == c"ggml_backend_set_n_threads" {
        return set_threads as *mut c_void;
    }
    ptr::null_mut()
}

unsafe extern "C" fn set_threads(backend: ggml_backend_t, threads: c_int) {
    // SAFETY: ggml calls this with a backend of ours, and never on two threads for the same one.
    unsafe { crew(backend) }.set_threads(usize::try_from(threads).unwrap_or(1));
}

unsafe extern "C" fn device_name(_: ggml_backend_dev_t) -> *const c_char {
    NAME.as_ptr()
}

unsafe extern "C" fn device_description(_: ggml_backend_dev_t) -> *const c_char {
    DESCRIPTION.as_ptr()
}

/// It has no memory of its own.
unsafe extern "C" fn device_memory(_: ggml_backend_dev_t, free: *mut usize, total: *mut usize) {
    // SAFETY: ggml hands over room for both numbers.
    unsafe {
        *free = 0;
        *total = 0;
    }
}

unsafe extern "C" fn device_type(_: ggml_backend_dev_t) -> ggml_backend_dev_type {
    sys::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_ACCEL
}

unsafe extern "C" fn device_props(_: ggml_backend_dev_t, props: *mut ggml_backend_dev_props) {
    let ours = ggml_backend_dev_props {
        name: NAME.as_ptr(),
        description: DESCRIPTION.as_ptr(),
        memory_free: 0,
        memory_total: 0,
        type_: sys::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_ACCEL,
        device_id: ptr::null(),
        caps: sys::ggml_backend_dev_caps {
            async_: false,
            host_buffer: false,
            buffer_from_host_ptr: true,
            events: false,
        },
    };
    // SAFETY: ggml hands over room for a struct of this type.
    unsafe { props.write(ours) }
}

unsafe extern "C" fn new_backend(device: ggml_backend_dev_t, _: *const c_char) -> ggml_backend_t {
    // SAFETY: the function makes ggml's tables, by which it converts halves, once for all and under a lock.
    unsafe { sys::ggml_cpu_init() };
    let backend = Backend {
        guid: (&raw const GUID).cast_mut().cast(),
        iface: BackendTable {
            get_name: backend_name,
            free: free_backend,
            set_tensor_async: None,
            get_tensor_async: None,
            cpy_tensor_async: None,
            synchronize: None,
            graph_plan_create: None,
            graph_plan_free: None,
            graph_plan_update: None,
            graph_plan_compute: None,
            graph_compute: compute,
            event_record: None,
            event_wait: None,
            graph_optimize: None,
        },
        device,
        context: Box::into_raw(Box::<Crew>::default()).cast(),
    };
    Box::into_raw(Box::new(backend)).cast()
}

unsafe extern "C" fn backend_name(_: ggml_backend_t) -> *const c_char {
    NAME.as_ptr()
}

unsafe extern "C" fn free_backend(backend: ggml_backend_t) {
    // SAFETY: both boxes were made in `new_backend`, and ggml frees a backend once and uses it no more.
    unsafe {
        let backend = Box::from_raw(backend.cast::<Backend>());
        drop(Box::from_raw(backend.context.cast::<Crew>()));
    }
}

/// # Safety
/// The backend must be one of ours, used by nobody else meanwhile.
unsafe fn crew<'a>(backend: ggml_backend_t) -> &'a mut Crew {
    // SAFETY: by contract; the box is there as long as the backend.
    unsafe { &mut *(*backend.cast::<Backend>()).context.cast::<Crew>() }
}

unsafe extern "C" fn compute(backend: ggml_backend_t, graph: *mut ggml_cgraph) -> ggml_status {
    // SAFETY: ggml computes with a backend on one thread at a time, its graphs hold valid tensors, and the scheduler has
    // given each of them memory that `reads` has agreed to.
    unsafe {
        let crew = crew(backend);
        let nodes: Vec<&ggml_tensor> = (0..sys::ggml_graph_n_nodes(graph))
            .map(|index| &*sys::ggml_graph_node(graph, index))
            .filter(|node| !is_view(node.op))
            .collect();
        let mut nodes = nodes.as_slice();
        while let [node, rest @ ..] = nodes {
            nodes = rest;
            if let [second, third, rest @ ..] = rest
                && let Some(attention) = Attention::of([node, second, third])
            {
                attention.compute(crew);
                nodes = rest;
            } else if let Some(product) = Product::of(node) {
                product.compute(crew);
            } else if let Some(softmax) = Softmax::of(node) {
                softmax.compute(crew);
            } else if let Some(gelu) = Gelu::of(node) {
                gelu.compute(crew);
            } else {
                return sys::ggml_status_GGML_STATUS_FAILED;
            }
        }
    }
    sys::ggml_status_GGML_STATUS_SUCCESS
}

/// Main memory, as the CPU's own backend has it.
unsafe extern "C" fn buffer_type(_: ggml_backend_dev_t) -> ggml_backend_buffer_type_t {
    // SAFETY: the function gives a constant.
    unsafe { sys::ggml_backend_cpu_buffer_type() }
}

unsafe extern "C" fn buffer_from(
    _: ggml_backend_dev_t,
    start: *mut c_void,
    size: usize,
    _: usize,
) -> ggml_backend_buffer_t {
    // SAFETY: the caller of ggml answers for the memory.
    unsafe { sys::ggml_backend_cpu_buffer_from_ptr(start, size) }
}

unsafe extern "C" fn takes(_: ggml_backend_dev_t, node: *const ggml_tensor) -> bool {
    // SAFETY: ggml asks about valid tensors with valid sources.
    unsafe {
        let node = &*node;
        is_view(node.op)
            || Softmax::follows(node)
            || Product::of(node).is_some_and(|product| product.is_large())
            || Gelu::of(node).is_some_and(|gelu| gelu.is_large())
    }
}

unsafe extern "C" fn reads(_: ggml_backend_dev_t, kind: ggml_backend_buffer_type_t) -> bool {
    // SAFETY: ggml asks about its own types of buffers.
    unsafe { sys::ggml_backend_buft_is_host(kind) }
}

/// Whether nothing is to be done for a node.
fn is_view(op: sys::ggml_op) -> bool {
    matches!(
        op,
        sys::ggml_op_GGML_OP_NONE
            | sys::ggml_op_GGML_OP_RESHAPE
            | sys::ggml_op_GGML_OP_VIEW
            | sys::ggml_op_GGML_OP_PERMUTE
            | sys::ggml_op_GGML_OP_TRANSPOSE
    )
}
