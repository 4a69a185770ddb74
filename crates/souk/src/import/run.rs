use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use contracts::import::Verdict;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use super::format::Records;
use super::{Record, Refusal, Report, Summary};

/// How a run is shown and where its refusals go.
pub(crate) struct Options<'a> {
    /// Whether to draw a progress bar.
    pub(crate) progress: bool,
    /// Where to write the refused records.
    pub(crate) report: Option<&'a Path>,
}

/// What takes the records: a service, which says what became of each, in order.
pub(crate) trait Take<T> {
    /// Takes one batch; answers with as many verdicts.
    fn take(&self, batch: Vec<T>) -> impl Future<Output = anyhow::Result<Vec<Verdict>>>;
}

/// Records of one batch.
const BATCH: usize = 500;

/// Batches that the reader may be ahead.
const AHEAD: usize = 2;

/// Reads all of `records` on a thread of its own and hands them to `taker`, batch by batch.
pub(crate) async fn run<T: Send + 'static>(
    records: Records<T>,
    (bytes_read, bytes): (Arc<AtomicU64>, u64),
    taker: &impl Take<T>,
    options: &Options<'_>,
) -> anyhow::Result<(Summary, Vec<String>)> {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let reading = std::thread::spawn(move || read(records, &sender));
    let bar = bar(bytes, options.progress);
    let mut report = Report::new(options.report)?;
    while let Some(batch) = receiver.recv().await {
        let mut slots: Vec<(String, String, Option<Refusal>)> = Vec::with_capacity(batch.len());
        let mut sound = Vec::with_capacity(batch.len());
        for Record { place, name, content } in batch {
            match content {
                Ok(record) => {
                    sound.push(record);
                    slots.push((place, name, None));
                }
                Err(refusal) => slots.push((place, name, Some(refusal))),
            }
        }
        let mut verdicts = taker.take(sound).await?.into_iter();
        for (place, name, refusal) in slots {
            let verdict = match refusal {
                Some(refusal) => refusal.into(),
                None => verdicts.next().context("the service answered for too few records")?,
            };
            report.note(&place, &name, &verdict)?;
        }
        bar.set_position(bytes_read.load(Ordering::Relaxed));
    }
    bar.finish_and_clear();
    reading.join().map_err(|_| anyhow::anyhow!("reading the file failed"))?;
    report.finish()
}

fn read<T>(records: Records<T>, sender: &mpsc::Sender<Vec<Record<T>>>) {
    let mut batch = Vec::with_capacity(BATCH);
    for record in records {
        batch.push(record);
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            // Nobody receives any more once the import has failed.
            if sender.blocking_send(full).is_err() {
                return;
            }
        }
    }
    if !batch.is_empty() {
        let _ = sender.blocking_send(batch);
    }
}

fn bar(bytes: u64, shown: bool) -> ProgressBar {
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left")
    {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Taker(Mutex<Vec<usize>>);

    impl Take<u32> for Taker {
        async fn take(&self, batch: Vec<u32>) -> anyhow::Result<Vec<Verdict>> {
            self.0.lock().unwrap().push(batch.len());
            Ok(batch.iter().map(|n| if n % 2 == 0 { Verdict::Created } else { Verdict::Unchanged }).collect())
        }
    }

    #[tokio::test]
    async fn verdicts_meet_their_records() {
        let records = (0..1_201_u32).map(|n| Record {
            place: format!("record {n}"),
            name: n.to_string(),
            content: if n == 700 { Err(Refusal::missing("x")) } else { Ok(n) },
        });
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("refused.csv");
        let taker = Taker(Mutex::default());
        let options = Options { progress: false, report: Some(&report) };
        let (summary, shown) = run(Box::new(records), (Arc::default(), 0), &taker, &options).await.unwrap();
        assert_eq!(summary, Summary { created: 600, updated: 0, unchanged: 600, refused: 1 });
        assert_eq!(*taker.0.lock().unwrap(), [500, 499, 201]);
        assert_eq!(shown, ["record 700 (700): x is empty [import.missing]"]);
        let written = std::fs::read_to_string(report).unwrap();
        assert_eq!(written, "place,name,code,field,detail\nrecord 700,700,import.missing,x,x is empty\n");
    }
}
