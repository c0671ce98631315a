//! Whether a child can be kept to one port of this machine, and so to the network that the daemon offers it.

use super::{SandboxState, landlocked};
use crate::{
    config::Sandbox,
    error::{Code, Error},
};

/// The first version of landlock that knows ports.
const WITH_PORTS: i32 = 4;

/// What keeps a child to its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Landlock does.
    Kept,
    /// Nothing: landlock is of this version, which knows no ports, or not there.
    Open {
        /// The version; none where the kernel has no landlock.
        abi: Option<i32>,
    },
    /// Nothing: the operator wants no sandbox.
    Off,
}

impl Ports {
    /// On this machine, with `media.sandbox` as it is.
    pub(crate) fn here(wanted: Sandbox) -> Self {
        Self::decide(wanted, landlocked::kernel_abi())
    }

    /// Where programs are locked in like this.
    pub(super) fn of(state: SandboxState) -> Self {
        match state {
            SandboxState::Landlock { abi } => Self::decide(Sandbox::Auto, Some(abi)),
            SandboxState::LimitsOnly => Self::decide(Sandbox::Auto, None),
            SandboxState::Off => Self::Off,
        }
    }

    fn decide(wanted: Sandbox, abi: Option<i32>) -> Self {
        match (wanted, abi) {
            (Sandbox::Off, _) => Self::Off,
            (_, Some(WITH_PORTS..)) => Self::Kept,
            (_, abi) => Self::Open { abi },
        }
    }

    /// What is wrong where the operator wants children to be kept in and the kernel cannot.
    pub(crate) fn problem(self) -> Option<Error> {
        let Self::Open { abi } = self else { return None };
        let what = abi.map_or("has no landlock".to_owned(), |abi| format!("has landlock {abi}, which knows no ports"));
        let detail = format!("The kernel {what}: nothing keeps a program to the network that the daemon offers it");
        Some(Error::new(Code::SandboxUnavailable, detail).with_hint(
            "Use a kernel from 6.7 on with landlock switched on; `media.sandbox = \"off\"` says that no lock is wanted.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_kept_from_the_fourth_version_on_and_the_lack_of_it_is_told() {
        for (wanted, abi, expected, says) in [
            (Sandbox::Auto, Some(4), Ports::Kept, None),
            (Sandbox::Require, Some(6), Ports::Kept, None),
            (Sandbox::Auto, Some(3), Ports::Open { abi: Some(3) }, Some("landlock 3, which knows no ports")),
            (Sandbox::Require, Some(1), Ports::Open { abi: Some(1) }, Some("landlock 1")),
            (Sandbox::Auto, None, Ports::Open { abi: None }, Some("no landlock")),
            (Sandbox::Off, None, Ports::Off, None),
            (Sandbox::Off, Some(6), Ports::Off, None),
        ] {
            let ports = Ports::decide(wanted, abi);
            assert_eq!(ports, expected);
            let problem = ports.problem().map(|error| error.detail);
            assert_eq!(problem.is_some(), says.is_some());
            assert!(problem.zip(says).is_none_or(|(problem, says)| problem.contains(says)));
        }
    }
}
