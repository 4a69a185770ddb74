//! The server as a process: started, watched, ended.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use crate::wire::{Connection, Request};

/// Linux counts the time of processes in hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// How long a server may take until it is ready.
const START: Duration = Duration::from_secs(30);

/// How long it may take until what it does by itself is done.
const REST: Duration = Duration::from_secs(900);

/// A server that runs; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) data: PathBuf,
    /// From starting the program to the first 200 of `/readyz`.
    pub(crate) ready_after: Duration,
    /// The same to the first page of products.
    pub(crate) answered_after: Duration,
}

/// What a process holds of the machine's memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// Resident, pages that are shared with other processes in part only.
    pub(crate) proportional: u64,
}

impl Server {
    /// Starts `binary` on the shop in `folder`, which holds `souk.toml` and `data`, and waits until it is ready.
    pub(crate) async fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let (address, ops) = (free_address()?, free_address()?);
        let log = File::create(folder.join("server.log"))?;
        let begun = Instant::now();
        let child = Command::new(binary)
            .args(["serve", "--config", "souk.toml"])
            .args(["--listen", &address.to_string(), "--ops-listen", &ops.to_string()])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let data = folder.join("data");
        let none = Duration::ZERO;
        let mut server = Self { child, address, data, ready_after: none, answered_after: none };
        let (ready, answered) = tokio::join!(
            first_success(ops, "/readyz", begun),
            first_success(address, "/v1/products?limit=1", begun)
        );
        let (Some(ready_after), Some(answered_after)) = (ready, answered) else {
            let log = folder.join("server.log");
            match server.child.try_wait()? {
                Some(status) => bail!("the server ended with {status}; see {}", log.display()),
                None => bail!("the server was not ready in {START:?}; see {}", log.display()),
            }
        };
        (server.ready_after, server.answered_after) = (ready_after, answered_after);
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that it has used, of all its threads, ended ones too.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu(&self.pid().to_string())
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid()))?;
        let field = |name: &str| -> Result<u64> {
            let line = text.lines().find(|line| line.starts_with(name)).context("smaps_rollup")?;
            let kib: u64 = line.split_whitespace().nth(1).context("smaps_rollup")?.parse()?;
            Ok(kib * 1_024)
        };
        Ok(Memory { resident: field("Rss:")?, proportional: field("Pss:")? })
    }

    /// Waits until the server has nothing left to do: what it does after an answer (events carried to
    /// other services, mail, due work) belongs to the price of that answer. Answers with how long that took.
    pub(crate) async fn rest(&self) -> Result<Duration> {
        const LOOK: Duration = Duration::from_millis(200);
        const QUIET_LOOKS: u32 = 3;
        let begun = Instant::now();
        let (mut quiet, mut before) = (0, self.cpu()?);
        while quiet < QUIET_LOOKS {
            sleep(LOOK).await;
            let now = self.cpu()?;
            // An idle server looks for work now and then, which takes less than a twentieth of one core.
            let is_quiet = now.saturating_sub(before) <= LOOK / 20 && !self.wants_to_run()?;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            before = now;
            if begun.elapsed() > REST {
                bail!("the server was still busy {REST:?} after the load had ended");
            }
        }
        Ok(begun.elapsed().saturating_sub(LOOK * QUIET_LOOKS))
    }

    /// Whether a thread of it runs, or would if it had a core, or waits for the disk.
    fn wants_to_run(&self) -> Result<bool> {
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            // A thread may end while we look.
            let Ok(stat) = std::fs::read_to_string(thread?.path().join("stat")) else { continue };
            if stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['R', 'D'])) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.pid().to_string()).status().context("kill")?;
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("the server ended with {status}");
                }
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
        bail!("the server did not end in {START:?}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that this process has used.
pub(crate) fn own_cpu() -> Result<Duration> {
    cpu("self")
}

fn cpu(process: &str) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program, in brackets, may hold anything; the fields that count come after it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || -> Result<u32> { Ok(fields.next().context("/proc/PID/stat")?.parse()?) };
    Ok(TICK * (ticks()? + ticks()?))
}

/// When, after `begun`, `path` was answered with 200 for the first time; none when it never was.
async fn first_success(address: SocketAddr, path: &str, begun: Instant) -> Option<Duration> {
    const LOOK: Duration = Duration::from_millis(1);
    let request = Request::get(path).bytes();
    while begun.elapsed() < START {
        if let Ok(mut connection) = Connection::open(address).await
            && let Ok(answer) = connection.send(&request).await
            && answer.status == 200
        {
            return Some(begun.elapsed());
        }
        sleep(LOOK).await;
    }
    None
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
