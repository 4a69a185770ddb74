//! What was measured, for people.

use std::fmt::Write as _;

use crate::bench::Bench;
use crate::load::Measured;

/// One line of the table; what does not apply is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    cells: [String; COLUMNS.len()],
    rate: Option<f64>,
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

const COLUMNS: [&str; 10] = [
    "what",
    "measured",
    "least to most",
    "server CPU each",
    "generator elsewhere",
    "p50",
    "p99",
    "machine's own limit",
    "aim",
    "met",
];

impl Row {
    /// A rate with all that belongs to it.
    pub(crate) fn of_load(name: &str, measured: &Measured, bench: &Bench) -> Self {
        let (rate, cpu) = (measured.rate(), measured.server_cpu());
        let quantile = |q| time(measured.latency.value_at_quantile(q) as f64);
        // With nobody else on the cores, so many would keep the server busy.
        let elsewhere = bench.machine.cores as f64 * 1e6 / cpu.median;
        let cells = [
            name.to_owned(),
            format!("{}/s", grouped(rate.median)),
            format!("{} to {}", grouped(rate.least), grouped(rate.most)),
            time(cpu.median),
            format!("{}/s", grouped(elsewhere)),
            quantile(0.5),
            quantile(0.99),
        ];
        Self { cells: fill(cells), rate: Some(rate.median) }
    }

    /// One number.
    pub(crate) fn of_value(name: &str, value: String) -> Self {
        Self { cells: fill([name.to_owned(), value]), rate: None }
    }

    /// How often a second the machine could do it with nothing around.
    pub(crate) fn with_limit(mut self, limit: f64) -> Self {
        self.cells[7] = match self.rate {
            Some(rate) => format!("{}/s ({:.0} %)", grouped(limit), 100.0 * rate / limit),
            None => format!("{}/s", grouped(limit)),
        };
        self
    }

    pub(crate) fn with_aim(mut self, aim: Aim) -> Self {
        let Aim { text, met } = aim;
        self.cells[8] = text;
        self.cells[9] = if met { "yes" } else { "no" }.to_owned();
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
        assert_eq!((time(412.4), time(2_345.0), time(222_000.0)), ("412 µs".into(), "2.35 ms".into(), "222 ms".into()));
    }

    #[test]
    fn columns_are_as_wide_as_what_they_hold() {
        let row = Row::of_value("idle memory", "48.1 MiB".to_owned()).with_aim(Aim::new("60 MiB".into(), true));
        let text = render(&[row]);
        let lengths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lengths, [lengths[0]; 3], "{text}");
        assert!(text.contains("| idle memory | 48.1 MiB |"), "{text}");
    }
}
