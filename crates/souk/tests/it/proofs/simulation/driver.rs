//! Tells the story of a seed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use database::{Error, params};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::books;
use super::log::Log;
use super::network::{Fate, Leg};
use super::people::{Action, People, Told, script};
use super::pool::Pool;
use super::process::Process;
use super::trace::Trace;
use super::world::{Chance, World};

/// The most steps before the network heals, so that a story has an end.
const MOST_STEPS: usize = 1_500;
/// The most rounds that settling may take.
const MOST_ROUNDS: usize = 600;
/// The most requests by people at once.
const MOST_AT_ONCE: usize = 3;
/// How often a process may die in one story.
const MOST_CRASHES: u64 = 3;
/// How old a request to the provider may be. Half of what its connector says that it settles within.
const PROVIDER_FORGETS: Duration = Duration::from_secs(2);

/// A story and what is wrong at its end.
pub struct Story {
    pub seed: u64,
    pub trace: Trace,
    pub wrong: Vec<String>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, trace, wrong } = self;
        writeln!(f, "the story of seed {seed}:\n{trace}\nends wrong:")?;
        wrong.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "\nTell it again: SOUK_PROVE_SEED={seed} cargo test -p souk --test it simulation")
    }
}

/// How kind this world is: out of a thousand.
#[derive(Clone, Copy, Debug)]
struct Weather {
    lost: u64,
    doubled: u64,
    crash: u64,
    abort: u64,
    /// How often much time goes by.
    long: u64,
}

/// What is done next.
#[derive(Clone, Copy)]
enum Move {
    Commit,
    Carry,
    Begin,
    Wait,
}

enum End {
    Crash,
    Over,
}

/// Everything of one life of the process.
struct Teller<'a> {
    world: &'a World,
    weather: Weather,
    process: Process,
    people: People,
    running: Vec<(usize, JoinHandle<(String, u16)>)>,
    pool: Pool,
    plot: &'a mut Plot,
}

/// What goes on from life to life.
struct Plot {
    trace: Trace,
    actions: VecDeque<Action>,
    begun: usize,
    steps: usize,
    told: Told,
    log: Log,
    wrong: Vec<String>,
}

/// Tells the whole story of `seed`.
pub fn tell(seed: u64) -> Story {
    let world = World::new(seed);
    let weather = Weather::draw(&world.chance);
    tell_in(world, weather)
}

/// Tells the story of `seed` without leaps of time, in which so much wakes at once that the order in which it
/// does is not the same every time.
pub fn tell_without_leaps(seed: u64) -> Story {
    let world = World::new(seed);
    let weather = Weather { long: 0, ..Weather::draw(&world.chance) };
    tell_in(world, weather)
}

fn tell_in(world: World, weather: Weather) -> Story {
    let seed = world.seed;
    let actions = script(&world.chance).into();
    let mut plot = Plot {
        trace: Trace::default(),
        actions,
        begun: 0,
        steps: 0,
        told: Told::default(),
        log: Log::default(),
        wrong: Vec::new(),
    };
    plot.trace.step(format!("{weather:?}"));
    let _heard = tracing::subscriber::set_default(plot.log.clone());
    let bought = Arc::new(Mutex::new(Vec::new()));
    for life in 0.. {
        let runtime = runtime();
        let (end, pool) = runtime.block_on(async {
            let again = if life > 0 { world.chance.below(6) as i64 } else { 0 };
            plot.trace.counts.repeated_events += again as u64;
            let (process, pool) = Process::start(&world, life, again).await;
            let (told, chance) = (plot.told.clone(), world.chance.clone());
            let people = People::new(told, bought.clone(), chance, process.public.clone());
            let plot = &mut plot;
            Teller { world: &world, weather, process, people, running: Vec::new(), pool, plot }.tell().await
        });
        pool.kill(runtime);
        match end {
            End::Crash => plot.trace.counts.crashes += 1,
            End::Over => break,
        }
    }
    Story { seed, trace: plot.trace, wrong: plot.wrong }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        // The teller is asked again when nothing else can go on.
        .event_interval(100_000)
        .build()
        .unwrap()
}

impl Weather {
    fn draw(chance: &Chance) -> Self {
        Self {
            lost: *chance.pick(&[0, 20, 80, 200]),
            doubled: *chance.pick(&[0, 30, 150]),
            crash: *chance.pick(&[0, 3, 10]),
            abort: *chance.pick(&[0, 5]),
            long: *chance.pick(&[0, 30, 150]),
        }
    }
}

impl Teller<'_> {
    async fn tell(mut self) -> (End, Pool) {
        while !self.is_over() {
            self.plot.steps += 1;
            self.idle().await;
            self.hear().await;
            let chance = &self.world.chance;
            if self.plot.trace.counts.crashes < MOST_CRASHES && chance.per_mille(self.weather.crash) {
                if chance.one_in(2) {
                    self.pool.let_through();
                }
                self.note("the process dies");
                return (End::Crash, self.pool);
            }
            self.step().await;
        }
        self.settle().await;
        (End::Over, self.pool)
    }

    fn is_over(&self) -> bool {
        let done = self.plot.actions.is_empty() && self.running.is_empty();
        done || self.plot.steps > MOST_STEPS
    }

    async fn step(&mut self) {
        let carry = if self.process.network.parked() > 0 { 40 } else { 0 };
        let may_begin = !self.plot.actions.is_empty() && self.running.len() < MOST_AT_ONCE;
        let begin = if may_begin { 8 } else { 0 };
        let choices = [(40, Move::Commit), (carry, Move::Carry), (begin, Move::Begin), (8, Move::Wait)];
        match self.world.chance.weighted(&choices) {
            Move::Commit => self.pool.let_through(),
            Move::Carry => self.carry(),
            Move::Begin => self.begin(),
            Move::Wait => self.wait().await,
        }
    }

    /// Lets everything go on that can.
    async fn idle(&self) {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }

    fn note(&mut self, line: &str) {
        let at = self.world.clocks.elapsed();
        for said in self.plot.log.take() {
            self.plot.trace.step(format!("             log {said}"));
        }
        self.plot.trace.step(format!("{:>10.3} {line}", at.as_secs_f64()));
    }

    /// Hears how requests ended, and breaks one off now and then.
    async fn hear(&mut self) {
        let mut index = 0;
        while index < self.running.len() {
            if self.running[index].1.is_finished() {
                let (number, ended) = self.running.remove(index);
                let (line, status) = ended.await.unwrap();
                if status == 500 {
                    self.plot.wrong.push(format!("a person was answered with a fault: {line}"));
                }
                self.note(&format!("person  {number}. {line}"));
            } else if self.world.chance.per_mille(self.weather.abort) {
                let (number, doing) = self.running.remove(index);
                doing.abort();
                self.plot.trace.counts.aborted += 1;
                self.note(&format!("person  {number}. goes away"));
            } else {
                index += 1;
            }
        }
    }

    /// Begins the next action that there is something to do for; the others wait for their turn.
    fn begin(&mut self) {
        for _ in 0..self.plot.actions.len() {
            let Some(action) = self.plot.actions.pop_front() else { return };
            let Some(doing) = self.people.begin(&action) else {
                self.plot.actions.push_back(action);
                continue;
            };
            self.plot.begun += 1;
            self.plot.trace.counts.requests += 1;
            let number = self.plot.begun;
            self.note(&format!("person  {number}. begins {action:?}"));
            self.running.push((number, tokio::spawn(doing)));
            return;
        }
        if self.running.is_empty() {
            // Nobody is there to do it to, and nobody will be.
            self.plot.actions.clear();
        }
    }

    fn carry(&mut self) {
        let chance = &self.world.chance;
        let Some(parked) = self.process.network.take(chance.index(self.process.network.parked())) else {
            return;
        };
        let Weather { lost, doubled, .. } = self.weather;
        let late = parked.to_provider && parked.sent.elapsed() > PROVIDER_FORGETS;
        let fate = match parked.leg {
            Leg::Request if late => Fate::Lost,
            _ if chance.per_mille(lost) => match parked.leg {
                Leg::Request if chance.one_in(3) => Fate::Refused,
                _ => Fate::Lost,
            },
            Leg::Request if chance.per_mille(doubled) => Fate::Doubled,
            _ => Fate::Delivered,
        };
        let counts = &mut self.plot.trace.counts;
        match fate {
            Fate::Delivered => counts.delivered += 1,
            Fate::Doubled => counts.doubled += 1,
            Fate::Lost | Fate::Refused => counts.lost += 1,
        }
        let leg = if parked.leg == Leg::Request { "request" } else { "answer " };
        self.note(&format!("{leg} {} {fate:?}", parked.label));
        parked.meet(fate);
    }

    async fn wait(&mut self) {
        let chance = &self.world.chance;
        let millis = if chance.per_mille(self.weather.long) {
            *chance.pick(&[60_000, 400_000, 1_900_000, 6_000_000]) + chance.below(10_000)
        } else {
            *chance.pick(&[20, 300, 1_100, 5_000]) + chance.below(20)
        };
        self.note(&format!("time    {millis} ms go by"));
        self.world.clocks.advance(Duration::from_millis(millis)).await;
    }

    /// Heals the network and waits until nothing is left to do, then reads the books.
    async fn settle(&mut self) {
        self.note("the network heals");
        let mut quiet = 0;
        for _ in 0..MOST_ROUNDS {
            self.deliver_all().await;
            let left = self.work_left().await.unwrap();
            quiet = if left.is_none() { quiet + 1 } else { 0 };
            if quiet > 3 {
                break;
            }
            let pause = left.unwrap_or(Duration::from_secs(20)).max(Duration::from_millis(1_100));
            self.world.clocks.advance(pause).await;
        }
        let receipts = self.plot.told.receipts();
        match books::read(&self.process, &receipts, &mut self.plot.trace.counts).await {
            Ok((lines, wrong)) => {
                lines.into_iter().for_each(|line| self.plot.trace.step(line));
                self.plot.wrong.extend(wrong);
            }
            Err(error) => self.plot.wrong.push(format!("the books cannot be read: {error}")),
        }
    }

    async fn deliver_all(&mut self) {
        let mut calm = 0;
        // A mail takes a dozen steps on the disk before anything is seen of it.
        while calm < 24 {
            self.pool.let_through();
            self.idle().await;
            self.hear().await;
            calm += 1;
            while let Some(parked) = self.process.network.take(0) {
                calm = 0;
                let late = parked.to_provider && parked.sent.elapsed() > PROVIDER_FORGETS;
                let fate = if late && parked.leg == Leg::Request { Fate::Lost } else { Fate::Delivered };
                self.note(&format!("settles {} {fate:?}", parked.label));
                parked.meet(fate);
            }
        }
    }

    /// How long it takes until the next work is due; none when there is none.
    async fn work_left(&self) -> Result<Option<Duration>, Error> {
        let mut next: Option<Duration> = (!self.running.is_empty()).then_some(Duration::from_secs(1));
        for database in [&self.process.orders, &self.process.payments] {
            let sql = "SELECT MIN(due_at) FROM platform_due WHERE item_key <> 'sweep'";
            let mut reader = database.read_primary().await?;
            let (due,): (Option<i64>,) = reader.fetch_one(sql, &params![]).await?;
            let (parked,): (i64,) = reader.fetch_one("SELECT COUNT(*) FROM bus_parked", &params![]).await?;
            let now = database.clock().now().as_micros();
            let due = due.map(|due| Duration::from_micros(u64::try_from(due - now).unwrap_or(0)));
            let parked = (parked > 0).then_some(Duration::from_secs(5));
            next = [next, due, parked].into_iter().flatten().min();
        }
        Ok(next)
    }
}
