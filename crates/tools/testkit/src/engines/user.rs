//! The user a server runs as.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// A user without rights, for servers that refuse to run as root.
#[derive(Clone, Copy)]
pub(super) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The user to change to: nobody in particular unless the tests run as root.
    pub(super) fn unprivileged() -> Option<Self> {
        let running_as = std::fs::metadata("/proc/self").map_or(1, |process| process.uid());
        if running_as != 0 {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let user = ["postgres", "nobody"].iter().find_map(|name| Self::named(&users, name));
        Some(user.expect("/etc/passwd has neither `postgres` nor `nobody`"))
    }

    fn named(users: &str, name: &str) -> Option<Self> {
        let user = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = user.split(':').skip(2);
        Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }

    /// A command that runs `program` as `user`, or as the current user.
    pub(super) fn command(user: Option<Self>, program: &Path) -> Command {
        let Some(user) = user else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={}", user.uid)).arg(format!("--regid={}", user.gid));
        command.args(["--clear-groups", "--"]).arg(program);
        command
    }

    /// Makes `folder` the user's.
    pub(super) fn own(user: Option<Self>, folder: &Path) {
        if let Some(user) = user {
            std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid)).unwrap();
        }
    }
}
