//! What was measured, for people.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use crate::bench::Bench;
use crate::load::{Measured, Spread};

/// One line of the table; what does not apply is empty.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    cells: [String; COLUMNS.len()],
    rate: Option<f64>,
    notes: Vec<String>,
}

/// What the machine itself can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// Operations a second.
    pub(crate) rate: f64,
    /// Microseconds of processor time for one, where that can be told from the rest of this program.
    pub(crate) cpu: Option<f64>,
}

/// What is aimed at, and whether that is reached.
pub(crate) struct Aim {
    text: String,
    met: bool,
}

impl Aim {
    pub(crate) fn new(text: String, met: bool) -> Self {
        Self { text, met }
    }
}

const COLUMNS: [&str; 11] = [
    "what",
    "measured",
    "least to most",
    "server CPU each",
    "generator CPU each",
    "rate without the generator",
    "p50",
    "p99",
    "the machine's own limit",
    "aim",
    "met",
];

/// A server that goes on working for longer than this share of a run after it is worth a note.
const LONG_REST: f64 = 0.05;

impl Row {
    /// A rate with all that belongs to it.
    pub(crate) fn of_load(name: &str, measured: &Measured, bench: &Bench) -> Self {
        let (rate, cpu) = (measured.rate(), measured.server_cpu());
        let quantile = |q| time(measured.latency.value_at_quantile(q) as f64);
        // With the cores to itself, the server would be busy with so many.
        let without = bench.machine.cores as f64 * 1e6 / cpu.median;
        let cells = [
            name.to_owned(),
            format!("{}/s", grouped(rate.median)),
            format!("{} to {}", grouped(rate.least), grouped(rate.most)),
            time(cpu.median),
            time(measured.client_cpu().median),
            format!("{}/s", grouped(without)),
            quantile(0.5),
            quantile(0.99),
        ];
        let row = Self { cells: fill(cells), rate: Some(rate.median), notes: Vec::new() };
        let rest = measured.rest().median;
        if rest < bench.plan.run.as_secs_f64() * LONG_REST {
            return row;
        }
        row.with_note(format!(
            "after the last answer the server was busy for {rest:.1} s more, which is counted"
        ))
    }

    /// How long something took, several times; microseconds.
    pub(crate) fn of_spread(name: &str, spread: Spread) -> Self {
        let Spread { median, least, most } = spread;
        let mut row = Self::of_value(name, time(median));
        row.cells[2] = format!("{} to {}", time(least), time(most));
        row
    }

    /// The same with what it cost the server for each, and when each was reached.
    pub(crate) fn of_times(name: &str, all: Spread, cpu: f64, each: &Histogram<u64>) -> Self {
        let mut row = Self::of_spread(name, all);
        row.cells[3] = time(cpu);
        row.cells[6] = time(each.value_at_quantile(0.5) as f64);
        row.cells[7] = time(each.value_at_quantile(0.99) as f64);
        row
    }

    /// One number.
    pub(crate) fn of_value(name: &str, value: String) -> Self {
        Self { cells: fill([name.to_owned(), value]), rate: None, notes: Vec::new() }
    }

    /// How often a second the machine could do it with nothing around, and the share of that which is reached.
    pub(crate) fn with_limit(self, limit: Limit) -> Self {
        let share =
            self.rate.map(|rate| format!(" ({:.0} %)", 100.0 * rate / limit.rate)).unwrap_or_default();
        let cpu = limit.cpu.map(|cpu| format!(", {} CPU", time(cpu))).unwrap_or_default();
        self.with_limit_text(format!("{}/s{share}{cpu}", grouped(limit.rate)))
    }

    /// What the machine could do, when that is no rate.
    pub(crate) fn with_limit_text(mut self, limit: String) -> Self {
        self.cells[8] = limit;
        self
    }

    pub(crate) fn with_aim(mut self, aim: Aim) -> Self {
        let Aim { text, met } = aim;
        self.cells[9] = text;
        self.cells[10] = if met { "yes" } else { "no" }.to_owned();
        self
    }

    /// What does not fit into a column.
    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }
}

fn fill<const N: usize>(cells: [String; N]) -> [String; COLUMNS.len()] {
    let mut all: [String; COLUMNS.len()] = Default::default();
    for (place, cell) in all.iter_mut().zip(cells) {
        *place = cell;
    }
    all
}

/// The table as Markdown, with columns as wide as their widest cell, so that it can be read as it is.
pub(crate) fn render(rows: &[Row]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row.cells[column].chars().count());
        cells.chain([COLUMNS[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        for (cell, width) in cells.iter().zip(&widths) {
            // Writing to a string does not fail.
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
    };
    line(&COLUMNS.map(str::to_owned));
    line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
    for row in rows {
        line(&row.cells);
    }
    if rows.iter().any(|row| !row.notes.is_empty()) {
        text.push('\n');
    }
    for row in rows.iter().filter(|row| !row.notes.is_empty()) {
        let _ = writeln!(text, "- {}: {}.", row.cells[0], row.notes.join("; "));
    }
    text
}

/// Microseconds, in the unit that reads best.
pub(crate) fn time(microseconds: f64) -> String {
    match microseconds {
        us if us < 1_000.0 => format!("{us:.0} µs"),
        us if us < 100_000.0 => format!("{:.2} ms", us / 1e3),
        us if us < 10_000_000.0 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

/// A number without a fraction, in groups of three digits.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!((grouped(999.0), grouped(0.4)), ("999".to_owned(), "0".to_owned()));
        assert_eq!(
            (time(412.4), time(2_345.0), time(222_000.0)),
            ("412 µs".into(), "2.35 ms".into(), "222 ms".into())
        );
    }

    #[test]
    fn columns_are_as_wide_as_what_they_hold() {
        let row =
            Row::of_value("idle memory", "48.1 MiB".to_owned()).with_aim(Aim::new("60 MiB".into(), true));
        let text = render(&[row.with_note("at rest".to_owned())]);
        let lengths: Vec<usize> = text.lines().take(3).map(|line| line.chars().count()).collect();
        assert_eq!(lengths, [lengths[0]; 3], "{text}");
        assert!(text.contains("| idle memory | 48.1 MiB |"), "{text}");
        assert!(text.ends_with("\n\n- idle memory: at rest.\n"), "{text}");
    }
}
