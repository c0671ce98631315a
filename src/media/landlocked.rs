//! Landlock: the list of files that a child may see, made before the fork and taken on after it.
//!
//! [`ruleset`] allocates and opens files, so it runs in the parent; [`restrict`] is two system calls, so it may run
//! between fork and exec.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};

/// The newest rules that we ask for; an older kernel takes the part that it knows.
const NEWEST: ABI = ABI::V6;

/// What a dynamically linked program needs to start. Entries that a machine lacks are passed over.
const SYSTEM: &[&str] = &[
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
];

/// What programs of the operator's look for besides: times, and whom to trust.
const FOREIGN: &[&str] =
    &["/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/pki", "/usr/share/ca-certificates"];

/// The version of landlock that the kernel offers; none when it was built or started without.
pub(super) fn kernel_abi() -> Option<i32> {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with a null attribute, size 0 and this flag the call only returns a number.
    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, VERSION) };
    i32::try_from(abi).ok().filter(|abi| *abi > 0)
}

/// A rule set under which nothing can be written, no TCP connection made, and only the system's programs, what is in
/// `programs` (files and folders) and the file `input` be read.
pub(super) fn ruleset(programs: &[impl AsRef<Path>], input: Option<&Path>) -> io::Result<OwnedFd> {
    let mut rules = reading(SYSTEM.iter().map(Path::new).chain(programs.iter().map(AsRef::as_ref)))?;
    if let Some(input) = input {
        rules = allow(rules, input, AccessFs::ReadFile.into())?;
    }
    Option::<OwnedFd>::from(rules).ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
}

/// A rule set under which only the system's programs and what is in `paths` can be read, only `folder` be written, and
/// only `port` be connected to.
pub(super) fn confined(paths: &[impl AsRef<Path>], folder: &Path, port: Option<u16>) -> io::Result<OwnedFd> {
    let readable = SYSTEM.iter().chain(FOREIGN).map(Path::new).chain(paths.iter().map(AsRef::as_ref));
    let mut rules = allow(reading(readable)?, folder, AccessFs::from_all(NEWEST))?;
    rules = allow(rules, Path::new("/dev/null"), AccessFs::from_write(NEWEST))?;
    if let Some(port) = port {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp)).map_err(io::Error::other)?;
    }
    Option::<OwnedFd>::from(rules).ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
}

/// A rule set under which nothing can be done but reading these paths, as far as they are there.
fn reading<'a>(paths: impl Iterator<Item = &'a Path>) -> io::Result<RulesetCreated> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    let mut paths = paths.filter(|path| path.exists());
    paths.try_fold(rules, |rules, path| allow(rules, path, AccessFs::from_read(NEWEST)))
}

/// A rule set for a program that may look around: it can write in `folder` alone, and connect to `port` alone, the latter
/// where landlock knows ports ([`super::Ports`]). None where the kernel has no landlock.
pub(crate) fn gated(folder: &Path, port: u16) -> io::Result<Option<OwnedFd>> {
    let write = AccessFs::from_write(NEWEST);
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(write)
        .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp)))
        .map_err(io::Error::other)?;
    let rules = allow(allow(rules, folder, write)?, Path::new("/dev/null"), write)?;
    Ok(Option::<OwnedFd>::from(rules))
}

fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
    let path = PathFd::new(path).map_err(io::Error::other)?;
    rules.add_rule(PathBeneath::new(path, access)).map_err(io::Error::other)
}

/// Locks the calling thread in, for good. Only system calls: safe between fork and exec.
pub(crate) fn restrict(ruleset: &OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as the reference lives, and no flag is set.
    match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
