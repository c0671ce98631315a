//! What `ggml-backend-impl.h` declares: the tables of functions that a backend, its device and its registration are.
//!
//! ggml keeps this header to itself, so these are our own declarations of it; whisper-rs-sys is pinned to the version
//! that they were made for, [`crate::register`] asks the library that is linked, and a test reads the header.

use std::ffi::{c_char, c_int, c_void};

use whisper_rs_sys::{
    ggml_backend_buffer_t, ggml_backend_buffer_type_t, ggml_backend_dev_props, ggml_backend_dev_t,
    ggml_backend_dev_type, ggml_backend_reg_t, ggml_backend_t, ggml_cgraph, ggml_guid_t, ggml_status, ggml_tensor,
};

/// `GGML_BACKEND_API_VERSION` of that header.
pub(crate) const API_VERSION: c_int = 2;

/// What ggml may call and we do not have.
pub(crate) type Absent = Option<unsafe extern "C" fn()>;

/// Declares structs as C lays them out, and for the test the names of their fields.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal { $($field:ident: $kind:ty,)* })*) => {
        $($(#[$doc])* #[repr(C)] pub(crate) struct $table { $(pub(crate) $field: $kind,)* })*

        /// The structs of the header with their fields, in order.
        #[cfg(test)]
        pub(crate) const TABLES: &[(&str, &[&str])] = &[$(($name, &[$(stringify!($field)),*])),*];
    };
}

tables! {
    /// The functions of a backend: what computes for one state of whisper.cpp.
    BackendTable = "ggml_backend_i" {
        get_name: unsafe extern "C" fn(ggml_backend_t) -> *const c_char,
        free: unsafe extern "C" fn(ggml_backend_t),
        set_tensor_async: Absent,
        get_tensor_async: Absent,
        cpy_tensor_async: Absent,
        synchronize: Absent,
        graph_plan_create: Absent,
        graph_plan_free: Absent,
        graph_plan_update: Absent,
        graph_plan_compute: Absent,
        graph_compute: unsafe extern "C" fn(ggml_backend_t, *mut ggml_cgraph) -> ggml_status,
        event_record: Absent,
        event_wait: Absent,
        graph_optimize: Absent,
    }

    /// A backend.
    Backend = "ggml_backend" {
        guid: ggml_guid_t,
        iface: BackendTable,
        device: ggml_backend_dev_t,
        context: *mut c_void,
    }

    /// The functions of a device.
    DeviceTable = "ggml_backend_device_i" {
        get_name: unsafe extern "C" fn(ggml_backend_dev_t) -> *const c_char,
        get_description: unsafe extern "C" fn(ggml_backend_dev_t) -> *const c_char,
        get_memory: unsafe extern "C" fn(ggml_backend_dev_t, *mut usize, *mut usize),
        get_type: unsafe extern "C" fn(ggml_backend_dev_t) -> ggml_backend_dev_type,
        get_props: unsafe extern "C" fn(ggml_backend_dev_t, *mut ggml_backend_dev_props),
        init_backend: unsafe extern "C" fn(ggml_backend_dev_t, *const c_char) -> ggml_backend_t,
        get_buffer_type: unsafe extern "C" fn(ggml_backend_dev_t) -> ggml_backend_buffer_type_t,
        get_host_buffer_type: Absent,
        buffer_from_host_ptr:
            unsafe extern "C" fn(ggml_backend_dev_t, *mut c_void, usize, usize) -> ggml_backend_buffer_t,
        supports_op: unsafe extern "C" fn(ggml_backend_dev_t, *const ggml_tensor) -> bool,
        supports_buft: unsafe extern "C" fn(ggml_backend_dev_t, ggml_backend_buffer_type_t) -> bool,
        offload_op: Absent,
        event_new: Absent,
        event_free: Absent,
        event_synchronize: Absent,
    }

    /// A device: what a program finds in ggml's list.
    Device = "ggml_backend_device" {
        iface: DeviceTable,
        reg: ggml_backend_reg_t,
        context: *mut c_void,
    }

    /// The functions of a registration.
    RegistrationTable = "ggml_backend_reg_i" {
        get_name: unsafe extern "C" fn(ggml_backend_reg_t) -> *const c_char,
        get_device_count: unsafe extern "C" fn(ggml_backend_reg_t) -> usize,
        get_device: unsafe extern "C" fn(ggml_backend_reg_t, usize) -> ggml_backend_dev_t,
        get_proc_address: unsafe extern "C" fn(ggml_backend_reg_t, *const c_char) -> *mut c_void,
    }

    /// A kind of backend, with its devices.
    Registration = "ggml_backend_reg" {
        api_version: c_int,
        iface: RegistrationTable,
        context: *mut c_void,
    }
}
