//! Which system calls a foreign program may make: everything but a way out of its network and its process group.
//!
//! Landlock knows connections over TCP alone, and a group is left by `setsid`; seccomp closes the other doors: other
//! protocols (MPTCP among them), data that go out before a connection is there, and the sockets of other programs of this
//! machine. Pairs of sockets are left to a program, which uses them to speak to itself.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::error::{Code, Error, Result};

type Rules = Vec<SeccompRule>;

/// What of a socket's kind is no flag.
const KIND: u64 = 0xf;
/// On x86-64 every call can be made under another number, too: the one with this bit, unless it has one of its own.
const X32: i64 = 0x4000_0000;
/// `sendmsg` and `sendmmsg` there.
const X32_SENDS: [i64; 2] = [X32 + 518, X32 + 538];

/// The filter. With `tcp` connections over TCP are left to landlock; all other sockets are refused.
pub(super) fn filter(tcp: bool) -> Result<BpfProgram> {
    made(tcp).map_err(|error| {
        Error::new(Code::SandboxUnavailable, "The list of system calls makes no filter").with_source(error)
    })
}

fn made(tcp: bool) -> Result<BpfProgram, seccompiler::BackendError> {
    // What has no condition is refused always. io_uring makes sockets without asking for them here.
    let refused = [libc::SYS_setsid, libc::SYS_setpgid, libc::SYS_io_uring_setup].map(|call| (call, Vec::new()));
    let mut rules: BTreeMap<i64, Rules> = refused.into_iter().collect();
    rules.insert(libc::SYS_socket, if tcp { other_than_tcp()? } else { Vec::new() });
    // A pair of datagram sockets could still be pointed at those of other programs.
    rules.insert(libc::SYS_socketpair, kinds_but(&[libc::SOCK_STREAM, libc::SOCK_SEQPACKET])?);
    for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
        rules.insert(call, vec![with_bits(flags, libc::MSG_FASTOPEN)?]);
    }
    if cfg!(target_arch = "x86_64") {
        let others: Vec<i64> = rules.keys().map(|call| call + X32).chain(X32_SENDS).collect();
        rules.extend(others.into_iter().map(|call| (call, Vec::new())));
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine)?.try_into()
}

/// Every `socket` but one for TCP.
fn other_than_tcp() -> Result<Rules, seccompiler::BackendError> {
    let mut rules = kinds_but(&[libc::SOCK_STREAM])?;
    rules.push(SeccompRule::new(vec![other_than(0, libc::AF_INET)?, other_than(0, libc::AF_INET6)?])?);
    rules.push(SeccompRule::new(vec![other_than(2, 0)?, other_than(2, libc::IPPROTO_TCP)?])?);
    Ok(rules)
}

/// Every kind of socket, the second argument, but these.
fn kinds_but(kinds: &[libc::c_int]) -> Result<Rules, seccompiler::BackendError> {
    let of_kind = |kind: u64| SeccompCondition::new(1, Dword, SeccompCmpOp::MaskedEq(KIND), kind);
    let is_kept = |kind: &u64| kinds.iter().any(|kept| u64::from(kept.unsigned_abs()) == *kind);
    (0..=KIND).filter(|kind| !is_kept(kind)).map(|kind| SeccompRule::new(vec![of_kind(kind)?])).collect()
}

fn other_than(argument: u8, value: libc::c_int) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Dword, SeccompCmpOp::Ne, u64::from(value.unsigned_abs()))
}

fn with_bits(argument: u8, bits: libc::c_int) -> Result<SeccompRule, seccompiler::BackendError> {
    let bits = u64::from(bits.unsigned_abs());
    SeccompRule::new(vec![SeccompCondition::new(argument, Dword, SeccompCmpOp::MaskedEq(bits), bits)?])
}

#[cfg(test)]
mod tests {
    use std::{io, ptr, thread};

    use super::*;

    /// What calls come to on a thread under the filter: the error's number, 0 for none.
    fn tried<const N: usize>(tcp: bool, calls: [(libc::c_long, [libc::c_long; 4]); N]) -> [i32; N] {
        let filter = filter(tcp).unwrap();
        let try_all = move || {
            seccompiler::apply_filter(&filter).unwrap();
            calls.map(|(call, [a, b, c, d])| {
                // SAFETY: numbers alone; where a pointer is expected, 0 or a local pair.
                match unsafe { libc::syscall(call, a, b, c, d, ptr::null::<u8>(), 0) } {
                    -1 => io::Error::last_os_error().raw_os_error().unwrap(),
                    _ => 0,
                }
            })
        };
        thread::spawn(try_all).join().unwrap()
    }

    fn socket(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> (libc::c_long, [libc::c_long; 4]) {
        (libc::SYS_socket, [family, kind, protocol, 0].map(libc::c_long::from))
    }

    #[test]
    fn of_all_sockets_those_for_tcp_are_left() {
        let (stream, no_wait) = (libc::SOCK_STREAM, libc::SOCK_STREAM | libc::SOCK_NONBLOCK);
        let good = [
            socket(libc::AF_INET, stream, 0),
            socket(libc::AF_INET, no_wait, libc::IPPROTO_TCP),
            socket(libc::AF_INET, stream, libc::IPPROTO_TCP),
        ];
        assert_eq!(tried(true, good), [0; 3]);
        assert_eq!(tried(false, good), [libc::EPERM; 3]);
        let bad = [
            socket(libc::AF_INET, stream, 262), // MPTCP
            socket(libc::AF_INET6, stream, libc::IPPROTO_SCTP),
            socket(libc::AF_INET, libc::SOCK_SEQPACKET, 0),
            socket(libc::AF_INET, libc::SOCK_DGRAM, 0),
            socket(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_TCP),
            socket(libc::AF_UNIX, stream, 0),
            socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0),
            socket(libc::AF_NETLINK, libc::SOCK_RAW, 0),
        ];
        for tcp in [true, false] {
            assert_eq!(tried(tcp, bad), [libc::EPERM; 8]);
        }
    }

    #[test]
    fn pairs_are_left_and_data_wait_for_their_connection() {
        let pair = |kind: libc::c_int, pair: *mut [libc::c_int; 2]| {
            let at = pair.expose_provenance() as libc::c_long;
            (libc::SYS_socketpair, [libc::c_long::from(libc::AF_UNIX), kind.into(), 0, at])
        };
        let mut fds = [0; 2];
        let fds = &raw mut fds;
        assert_eq!(tried(true, [pair(libc::SOCK_STREAM, fds), pair(libc::SOCK_DGRAM, fds)]), [0, libc::EPERM]);
        // Their descriptor is none; what is refused is refused before that is seen.
        let (fast, plain) = (libc::c_long::from(libc::MSG_FASTOPEN), libc::c_long::from(libc::MSG_NOSIGNAL));
        let sends = [(libc::SYS_sendto, true), (libc::SYS_sendmsg, false), (libc::SYS_sendmmsg, true)];
        let send = |flags| sends.map(|(call, late)| (call, if late { [-1, 0, 0, flags] } else { [-1, 0, flags, 0] }));
        assert_eq!(tried(true, send(fast | plain)), [libc::EPERM; 3]);
        assert_eq!(tried(true, send(plain)), [libc::EBADF; 3]);
    }
}
