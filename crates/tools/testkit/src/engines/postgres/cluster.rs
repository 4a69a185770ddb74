//! A primary and its replica.

use std::time::{Duration, Instant};

use super::node::Node;
use super::{PostgresOptions, Replica};

const CATCHES_UP_WITHIN: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(10);

pub(super) struct Cluster {
    // The replica ends first, so that it does not complain about a primary that is gone.
    replica: Option<Node>,
    pub(super) primary: Node,
}

impl Cluster {
    pub(super) fn start(options: PostgresOptions) -> Self {
        let mut settings: Vec<&str> = Vec::new();
        if !options.fsync {
            settings.extend(["fsync=off", "full_page_writes=off"]);
        }
        let primary = Node::primary(&settings);
        primary.start();
        let replica = (options.replica != Replica::None).then(|| {
            let replica = Node::replica_of(&primary, &settings);
            replica.start();
            replica
        });
        if options.replica == Replica::Synchronous {
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
            primary.execute("SELECT pg_reload_conf()");
        }
        Self { replica, primary }
    }

    pub(super) fn replica(&self) -> &Node {
        self.replica.as_ref().expect("this cluster was started without a replica")
    }

    pub(super) fn pause_replica(&self) {
        self.replica().execute("SELECT pg_wal_replay_pause()");
        until(|| self.replica().query("SELECT pg_get_wal_replay_pause_state()") == "paused");
    }

    pub(super) fn wait_for_replica(&self) {
        let written = self.primary.query("SELECT pg_current_wal_lsn()");
        let question = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        until(|| self.replica().query(&question) == "t");
    }
}

fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + CATCHES_UP_WITHIN;
    while !condition() {
        assert!(Instant::now() < deadline, "the replica does not follow the primary");
        std::thread::sleep(ASK_EVERY);
    }
}
