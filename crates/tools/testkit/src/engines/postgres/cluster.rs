//! A primary and its replica.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::node::Node;
use super::{PostgresOptions, Replica};

const CATCHES_UP_WITHIN: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(10);

pub(super) struct Cluster {
    // The replica ends first, so that it does not complain about a primary that is gone.
    nodes: Vec<Node>,
    /// The index of the primary; a promotion changes it.
    leading: AtomicUsize,
    options: PostgresOptions,
}

impl Cluster {
    pub(super) fn start(options: PostgresOptions) -> Self {
        let mut settings: Vec<&str> = Vec::new();
        if !options.fsync {
            settings.extend(["fsync=off", "full_page_writes=off"]);
        }
        let primary = Node::primary(&settings);
        primary.start();
        let mut nodes = Vec::new();
        if options.replica != Replica::None {
            let replica = Node::empty(&settings);
            replica.follow(&primary);
            nodes.push(replica);
        }
        let leading = AtomicUsize::new(nodes.len());
        nodes.push(primary);
        let cluster = Self { nodes, leading, options };
        cluster.wait_for_commits();
        cluster
    }

    pub(super) fn primary(&self) -> &Node {
        &self.nodes[self.leading.load(Ordering::SeqCst)]
    }

    pub(super) fn replica(&self) -> &Node {
        assert!(self.nodes.len() > 1, "this cluster was started without a replica");
        &self.nodes[1 - self.leading.load(Ordering::SeqCst)]
    }

    pub(super) fn promote(&self) {
        let replica = self.replica();
        // It has nobody to wait for until the other one is back.
        replica.execute("ALTER SYSTEM RESET synchronous_standby_names");
        replica.execute("SELECT pg_reload_conf()");
        replica.execute("SELECT pg_promote()");
        self.leading.fetch_xor(1, Ordering::SeqCst);
    }

    pub(super) fn rejoin(&self) {
        self.replica().follow(self.primary());
        self.wait_for_commits();
    }

    /// Has commits wait for the replica, if they are to.
    fn wait_for_commits(&self) {
        if self.options.replica == Replica::Synchronous {
            self.primary().execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
            self.primary().execute("SELECT pg_reload_conf()");
        }
    }

    pub(super) fn pause_replica(&self) {
        self.replica().execute("SELECT pg_wal_replay_pause()");
        until(|| self.replica().query("SELECT pg_get_wal_replay_pause_state()") == "paused");
    }

    pub(super) fn wait_for_replica(&self) {
        let written = self.primary().query("SELECT pg_current_wal_lsn()");
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
