//! What this process does of all that there is to do.

use super::Config;
use crate::{
    domain::{Lane, Role},
    error::{Code, Error, Result},
};

/// The longest name of a node, in characters.
const MAX_NAME: usize = 100;

impl Config {
    /// The lanes that this process takes steps of.
    pub fn lanes(&self) -> Vec<Lane> {
        match self.server.role {
            Role::Api => Vec::new(),
            Role::All | Role::Worker => self.queue.lanes.clone(),
        }
    }

    /// Whether this process takes steps of a lane.
    pub fn takes(&self, lane: Lane) -> bool {
        self.lanes().contains(&lane)
    }

    /// Whether this process answers requests about tasks.
    pub fn is_asked(&self) -> bool {
        self.server.role != Role::Worker
    }

    /// Whether this process looks at schedules and sources: those that answer requests do, and workers that use the
    /// network anyway.
    pub fn has_clock(&self) -> bool {
        self.is_asked() || self.takes(Lane::Net)
    }

    /// The node's name: `server.name`, or else the machine's.
    pub fn node_name(&self) -> String {
        let name = match self.server.name.trim() {
            "" => gethostname::gethostname().to_string_lossy().into_owned(),
            name => name.to_owned(),
        };
        name.chars().take(MAX_NAME).collect()
    }

    /// A database that one process has for itself needs that process to do everything.
    pub(super) fn check_role(&self) -> Result<()> {
        let wrong = |text: &str, hint: &str| Err(Error::new(Code::Config, text).with_hint(hint));
        let lanes = &self.queue.lanes;
        if lanes.is_empty() || (1..lanes.len()).any(|at| lanes[..at].contains(&lanes[at])) {
            let hint = "With no lane at all, `server.role` is \"api\".";
            return wrong("`queue.lanes` must name at least one lane, and each once", hint);
        }
        let is_part = self.server.role != Role::All || Lane::ALL.iter().any(|lane| !lanes.contains(lane));
        if is_part && self.database_url().starts_with("sqlite:") {
            return wrong(
                "`server.role` and `queue.lanes` share the work out between processes, and SQLite takes only one",
                "Set `database.url` to a PostgreSQL or MySQL database, or leave both settings out.",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::defaults();
        change(&mut config);
        config
    }

    #[test]
    fn one_process_on_its_own_database_does_everything() {
        assert!(Config::defaults().check_role().is_ok());
        let parts: [fn(&mut Config); 4] = [
            |config| config.server.role = Role::Api,
            |config| config.server.role = Role::Worker,
            |config| config.queue.lanes = vec![Lane::Gpu],
            |config| config.queue.lanes.truncate(5),
        ];
        for change in parts {
            let mut config = config(change);
            assert_eq!(config.check_role().unwrap_err().code, Code::Config);
            config.database.url = "sqlite:/tmp/a.db".to_owned();
            assert!(config.check_role().unwrap_err().detail.contains("SQLite"));
            config.database.url = "postgres://db.example/trawl".to_owned();
            assert!(config.check_role().is_ok());
        }
        for lanes in [vec![], vec![Lane::Gpu, Lane::Net, Lane::Gpu]] {
            let mut config = config(|config| config.queue.lanes = lanes);
            config.database.url = "postgres://db.example/trawl".to_owned();
            assert_eq!(config.check_role().unwrap_err().code, Code::Config);
        }
    }

    #[test]
    fn a_role_says_what_is_done() {
        let all = Config::defaults();
        assert_eq!(all.lanes(), Lane::ALL);
        assert!(all.is_asked() && all.has_clock() && all.takes(Lane::Gpu));
        let api = config(|config| config.server.role = Role::Api);
        assert!(api.lanes().is_empty() && api.is_asked() && api.has_clock() && !api.takes(Lane::Deliver));
        let gpu = config(|config| {
            config.server.role = Role::Worker;
            config.queue.lanes = vec![Lane::Gpu];
        });
        assert!(gpu.takes(Lane::Gpu) && !gpu.takes(Lane::Cpu) && !gpu.is_asked() && !gpu.has_clock());
        assert!(config(|config| config.server.role = Role::Worker).has_clock());
    }

    #[test]
    fn a_node_has_a_name_in_any_case() {
        assert!(!Config::defaults().node_name().is_empty());
        assert_eq!(config(|config| config.server.name = format!(" {}", "ü".repeat(300))).node_name(), "ü".repeat(100));
    }
}
