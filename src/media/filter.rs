//! Which system calls a foreign program may make: everything but a way out of its network and its process group.
//!
//! Landlock knows TCP alone, and a group is left by `setsid`; seccomp closes both doors.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::error::{Code, Error, Result};

/// The filter. With `tcp` connections over TCP are left to landlock; all else but sockets inside the machine is refused.
pub(super) fn filter(tcp: bool) -> Result<BpfProgram> {
    made(tcp).map_err(|error| {
        Error::new(Code::SandboxUnavailable, "The list of system calls makes no filter").with_source(error)
    })
}

fn made(tcp: bool) -> Result<BpfProgram, seccompiler::BackendError> {
    let condition = |argument, operator, value: libc::c_int| {
        SeccompCondition::new(argument, Dword, operator, u64::from(value.unsigned_abs()))
    };
    let other_than = |family| condition(0, SeccompCmpOp::Ne, family);
    // The kind of socket stands in the lower four bits, flags above them.
    let of_kind = |kind| condition(1, SeccompCmpOp::MaskedEq(0xf), kind);
    let sockets = if tcp {
        vec![
            SeccompRule::new(vec![
                other_than(libc::AF_UNIX)?,
                other_than(libc::AF_INET)?,
                other_than(libc::AF_INET6)?,
            ])?,
            SeccompRule::new(vec![other_than(libc::AF_UNIX)?, of_kind(libc::SOCK_DGRAM)?])?,
            SeccompRule::new(vec![other_than(libc::AF_UNIX)?, of_kind(libc::SOCK_RAW)?])?,
        ]
    } else {
        vec![SeccompRule::new(vec![other_than(libc::AF_UNIX)?])?]
    };
    // What has no condition is refused always. io_uring makes sockets without asking for them here.
    let refused = [libc::SYS_setsid, libc::SYS_setpgid, libc::SYS_io_uring_setup].map(|call| (call, Vec::new()));
    let rules: BTreeMap<_, _> = refused.into_iter().chain([(libc::SYS_socket, sockets)]).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine)?.try_into()
}
