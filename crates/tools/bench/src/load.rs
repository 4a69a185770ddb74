//! A closed loop: so many clients, each of which asks again as soon as it has its answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::process::{Server, own_cpu};

/// Somebody who does the same thing again and again.
pub(crate) trait Client: 'static {
    /// Does it once. Answers with how many operations that was.
    ///
    /// # Errors
    /// Any answer but the expected one; it fails the whole row.
    async fn operate(&mut self) -> Result<u64>;
}

/// For how long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) warm_up: Duration,
    pub(crate) run: Duration,
    pub(crate) runs: usize,
}

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) operations: u64,
    pub(crate) elapsed: Duration,
    /// What the server went on doing after the last answer.
    pub(crate) rest: Duration,
    pub(crate) server_cpu: Duration,
    pub(crate) client_cpu: Duration,
}

/// What all runs of a row came to.
pub(crate) struct Measured {
    pub(crate) runs: Vec<Run>,
    /// Microseconds from sending to the whole answer, of all runs.
    pub(crate) latency: Histogram<u64>,
    /// Operations in all, those of the warm-up too.
    pub(crate) operations: u64,
}

/// Median, least and most of several runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self {
            median: f64::midpoint(at((values.len().max(1) - 1) / 2), at(values.len() / 2)),
            least: at(0),
            most: at(values.len().max(1) - 1),
        }
    }
}

impl Measured {
    /// Operations a second.
    pub(crate) fn rate(&self) -> Spread {
        Spread::of(self.runs.iter().map(|run| run.operations as f64 / run.elapsed.as_secs_f64()))
    }

    /// Microseconds of the server's processor time for one operation, what it did afterwards included.
    pub(crate) fn server_cpu(&self) -> Spread {
        Spread::of(self.runs.iter().map(|run| per_operation(run.server_cpu, run.operations)))
    }

    /// Microseconds of the load generator's processor time for one operation.
    pub(crate) fn client_cpu(&self) -> Spread {
        Spread::of(self.runs.iter().map(|run| per_operation(run.client_cpu, run.operations)))
    }

    /// Seconds for which the server was busy after the last answer.
    pub(crate) fn rest(&self) -> Spread {
        Spread::of(self.runs.iter().map(|run| run.rest.as_secs_f64()))
    }
}

fn per_operation(time: Duration, operations: u64) -> f64 {
    time.as_secs_f64() * 1e6 / operations.max(1) as f64
}

/// Puts `clients` to work as `plan` says and watches `server`.
pub(crate) async fn drive<C: Client>(server: &Server, clients: Vec<C>, plan: Plan) -> Result<Measured> {
    let mut latency = Histogram::new(3)?;
    let (mut clients, mut operations) = (clients, 0);
    if !plan.warm_up.is_zero() {
        let warm = once(server, clients, plan.warm_up, &mut Histogram::new(3)?).await?;
        (clients, operations) = (warm.0, warm.1.operations);
    }
    let mut runs = Vec::with_capacity(plan.runs);
    for _ in 0..plan.runs {
        let run;
        (clients, run) = once(server, clients, plan.run, &mut latency).await?;
        operations += run.operations;
        eprintln!(
            "    {:.0}/s, {:.0} µs of the server's CPU and {:.0} of ours for each, busy for {:.1} s more",
            run.operations as f64 / run.elapsed.as_secs_f64(),
            per_operation(run.server_cpu, run.operations),
            per_operation(run.client_cpu, run.operations),
            run.rest.as_secs_f64(),
        );
        runs.push(run);
    }
    Ok(Measured { runs, latency, operations })
}

/// Puts `clients` to work where there is no server of ours; answers with operations a second.
pub(crate) async fn alone<C: Client>(clients: Vec<C>, length: Duration) -> Result<(Vec<C>, f64)> {
    let burst = burst(clients, length, &mut Histogram::new(3)?).await?;
    Ok((burst.clients, burst.operations as f64 / burst.elapsed.as_secs_f64()))
}

async fn once<C: Client>(
    server: &Server,
    clients: Vec<C>,
    length: Duration,
    latency: &mut Histogram<u64>,
) -> Result<(Vec<C>, Run)> {
    let (server_before, own_before) = (server.cpu()?, own_cpu()?);
    let Burst { clients, operations, elapsed } = burst(clients, length, latency).await?;
    let client_cpu = own_cpu()?.saturating_sub(own_before);
    let rest = server.rest().await?;
    let server_cpu = server.cpu()?.saturating_sub(server_before);
    Ok((clients, Run { operations, elapsed, rest, server_cpu, client_cpu }))
}

struct Burst<C> {
    clients: Vec<C>,
    operations: u64,
    elapsed: Duration,
}

async fn burst<C: Client>(
    clients: Vec<C>,
    length: Duration,
    latency: &mut Histogram<u64>,
) -> Result<Burst<C>> {
    let begun = Instant::now();
    let failed = Rc::new(Cell::new(false));
    let local = LocalSet::new();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| local.spawn_local(work(client, begun + length, Rc::clone(&failed))))
        .collect();
    let mut ended =
        Burst { clients: Vec::with_capacity(tasks.len()), operations: 0, elapsed: Duration::ZERO };
    local
        .run_until(async {
            for task in tasks {
                let (client, done, seen) = task.await??;
                ended.operations += done;
                latency.add(&seen)?;
                ended.clients.push(client);
            }
            anyhow::Ok(())
        })
        .await?;
    ended.elapsed = begun.elapsed();
    Ok(ended)
}

/// Operates until the time is over, or another client has failed.
async fn work<C: Client>(
    mut client: C,
    until: Instant,
    failed: Rc<Cell<bool>>,
) -> Result<(C, u64, Histogram<u64>)> {
    let mut seen = Histogram::new(3)?;
    let mut operations = 0;
    let mut begun = Instant::now();
    while begun < until && !failed.get() {
        operations += client.operate().await.inspect_err(|_| failed.set(true))?;
        let ended = Instant::now();
        seen.record(u64::try_from((ended - begun).as_micros())?.max(1))?;
        begun = ended;
    }
    Ok((client, operations, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_both_ends() {
        let Spread { median, least, most } = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((median, least, most), (2.0, 1.0, 3.0));
        assert_eq!(Spread::of([1.0, 2.0]).median, 1.5);
    }
}
