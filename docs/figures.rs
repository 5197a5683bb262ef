//! Draws the figures of the page "How it works" into the folder that is named on the command line.
//!
//! ```text
//! $ rustc --edition 2024 docs/figures.rs -o target/figures && target/figures src/how_it_works
//! ```
//!
//! The page has them within its own text, where they take the colour of that: so they can be read in
//! each of rustdoc's themes. Markdown ends such a figure at an empty line, so there is none. The two
//! colours beside it can be told from white and from black.

use std::fmt::{self, Display, Write as _};
use std::path::Path;

const WIDTH: i32 = 460;
/// What is received, and what acts.
const RECEIVED: &str = "#d95f0e";
const ACTS: &str = "#9a6ad6";
const PLAIN: &str = "currentColor";

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).expect("usage: figures FOLDER");
    let folder = Path::new(&folder);
    std::fs::write(folder.join("linux.svg"), linux())?;
    std::fs::write(folder.join("kqueue.svg"), kqueue())
}

fn linux() -> String {
    let mut figure = Figure::default();
    sender(&mut figure);
    figure.frame((12, 62, 436, 214), "1  Which thread lets it in?");
    figure.text((438, 81), Style::SMALL.right(), "filled: blocked");
    let columns = [("HUP", 190), ("TERM", 230), ("others", 274), ("USR2", 318)];
    for (name, x) in columns {
        figure.text((x + 7, 104), Style::SMALL.middle(), name);
    }
    let rows = [
        ("main", "opened the receiver", [true, true, false, true]),
        ("workers", "started later: inherit", [true, true, false, true]),
        ("signal-reader", "reads for hubs", [true, true, true, true]),
        ("signal-source", "the delegate", [true, true, true, false]),
    ];
    for (row, (name, what, blocked)) in rows.into_iter().enumerate() {
        let y = 114 + 38 * row as i32;
        figure.text((24, y + 12), Style::BOLD, name);
        figure.text((24, y + 27), Style::SMALL, what);
        for (column, ((_, x), is_blocked)) in columns.into_iter().zip(blocked).enumerate() {
            let color = [RECEIVED, RECEIVED, PLAIN, ACTS][column];
            figure.square((x, y + 6), color, is_blocked);
        }
    }
    figure.note((348, 208, 94, 60), ACTS, &["USR2: reserved,", "no receiver:", "it acts here"]);
    figure.arrow(&[(334, 241), (350, 241)], ACTS);
    figure.text((24, 298), Style::PLAIN, "none lets in");
    figure.text((24, 314), Style::PLAIN, "HUP and TERM");
    figure.arrow(&[(197, 250), (197, 326)], RECEIVED);
    figure.arrow(&[(237, 250), (237, 326)], RECEIVED);
    figure.frame((12, 328, 436, 82), "2  They stay pending");
    figure.arrow(&[(32, 384), (32, 452)], RECEIVED);
    figure.text((42, 400), Style::SMALL, "the process' queue, in the kernel");
    figure.text((42, 446), Style::SMALL, "recv");
    figure.cells((24, 356), &["HUP from 4321", "TERM from 1"]);
    figure.arrow(&[(236, 370), (286, 370)], RECEIVED);
    figure.boxed((288, 348, 148, 50), RECEIVED, &["signalfd", "HUP, TERM: readable"]);
    readers(
        &mut figure,
        410,
        ["mio, SignalStream: read(2)", "recv: rt_sigtimedwait(2)", "into your own memory"],
        "epoll(7), then read(2)",
    );
    figure.finish(
        "A signal's way on Linux: no thread lets it in, so it stays pending, and a signalfd reads it",
    )
}

fn kqueue() -> String {
    let mut figure = Figure::default();
    sender(&mut figure);
    figure.frame((12, 62, 436, 84), "1  The kernel counts it");
    figure.text((24, 136), Style::SMALL, "in a knote each; no mask matters");
    figure.cells((24, 92), &["HUP 1", "TERM 2", "CHLD 1"]);
    figure.arrow(&[(196, 106), (286, 106)], RECEIVED);
    figure.boxed((288, 84, 148, 50), RECEIVED, &["kqueue", "readable"]);
    figure.arrow(&[(106, 146), (106, 180)], PLAIN);
    figure.frame((12, 182, 330, 150), "2  Then it looks at the disposition");
    let rows = [
        ("HUP, TERM", "ignored while received: dropped", PLAIN),
        ("CHLD", "its default: dropped", PLAIN),
        ("USR2, not received", "the program's own: it acts", ACTS),
    ];
    for (row, (name, what, color)) in rows.into_iter().enumerate() {
        let y = 212 + 38 * row as i32;
        figure.text((24, y + 12), Style::BOLD.colored(color), name);
        figure.text((24, y + 27), Style::SMALL, what);
    }
    figure.text((226, 300), Style::SMALL.colored(ACTS), "on any thread that");
    figure.text((226, 315), Style::SMALL.colored(ACTS), "lets it in");
    figure.path(&[(362, 134), (362, 332)], RECEIVED);
    readers(
        &mut figure,
        332,
        ["mio, SignalStream, recv:", "kevent(2), which signal", "and how many of it"],
        "kevent(2), of all kqueues",
    );
    figure.finish(
        "A signal's way on macOS and the BSDs: a knote counts it, its disposition drops it, and a kqueue \
         tells it",
    )
}

fn sender(figure: &mut Figure) {
    figure.boxed((70, 6, 320, 28), PLAIN, &["kill(2), Ctrl-C, a child's end, a timer"]);
    figure.arrow(&[(230, 34), (230, 60)], PLAIN);
}

/// Who reads: on the left the program, on the right the reader thread and those it reads for.
fn readers(figure: &mut Figure, from: i32, reads: [&str; 3], waits: &str) {
    let y = from + 44;
    figure.path(&[(362, from), (362, from + 20), (110, from + 20)], RECEIVED);
    figure.arrow(&[(110, from + 20), (110, y - 2)], RECEIVED);
    figure.arrow(&[(340, from + 20), (340, y - 2)], RECEIVED);
    figure.frame((12, y, 196, 96), "3  You read ...");
    for (row, text) in reads.into_iter().enumerate() {
        figure.text((24, y + 42 + 18 * row as i32), Style::SMALL, text);
    }
    figure.frame((232, y, 216, 178), "... or signal-reader does");
    figure.text((244, y + 40), Style::SMALL, waits);
    figure.arrow(&[(340, y + 48), (340, y + 64)], PLAIN);
    figure.boxed(
        (244, y + 66, 192, 44),
        PLAIN,
        &["SignalHub, Shutdown", "a queue each, or one latch"],
    );
    for (x, name) in [(244, "task"), (312, "task"), (380, "thread")] {
        figure.arrow(&[(x + 28, y + 110), (x + 28, y + 134)], PLAIN);
        figure.boxed((x, y + 136, 56, 28), PLAIN, &[name]);
    }
}

#[derive(Clone, Copy)]
struct Style {
    size: i32,
    anchor: &'static str,
    weight: &'static str,
    color: &'static str,
}

impl Style {
    const PLAIN: Style = Style { size: 13, anchor: "start", weight: "normal", color: PLAIN };
    const BOLD: Style = Style { weight: "bold", ..Style::PLAIN };
    const SMALL: Style = Style { size: 12, ..Style::PLAIN };

    const fn middle(self) -> Style {
        Style { anchor: "middle", ..self }
    }

    const fn right(self) -> Style {
        Style { anchor: "end", ..self }
    }

    const fn colored(self, color: &'static str) -> Style {
        Style { color, ..self }
    }
}

type Point = (i32, i32);
/// Left, top, width, height.
type Area = (i32, i32, i32, i32);

#[derive(Default)]
struct Figure {
    body: String,
    height: i32,
}

impl Figure {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = writeln!(self.body, "{line}");
    }

    fn text(&mut self, (x, y): Point, style: Style, text: impl Display) {
        let Style { size, anchor, weight, color } = style;
        self.line(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{color}">{text}</text>"#
        ));
    }

    fn rectangle(&mut self, (x, y, width, height): Area, color: &str, fill: f32) {
        self.height = self.height.max(y + height);
        self.line(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{color}" fill-opacity="{fill}" stroke="{color}" stroke-opacity="0.7"/>"#
        ));
    }

    /// A part of the figure, with its title.
    fn frame(&mut self, area: Area, title: &str) {
        self.rectangle(area, PLAIN, 0.04);
        self.text((area.0 + 12, area.1 + 19), Style::BOLD, title);
    }

    /// A thing: the first line is its name.
    fn boxed(&mut self, area: Area, color: &'static str, lines: &[&str]) {
        self.rectangle(area, color, 0.1);
        let (x, y, width, height) = area;
        let top = y + (height - 18 * lines.len() as i32) / 2;
        for (row, line) in lines.iter().enumerate() {
            let style = if row == 0 && lines.len() > 1 { Style::BOLD } else { Style::SMALL };
            self.text((x + width / 2, top + 18 * row as i32 + 13), style.middle(), line);
        }
    }

    fn note(&mut self, area: Area, color: &'static str, lines: &[&str]) {
        let (x, y, width, height) = area;
        let top = y + (height - 16 * lines.len() as i32) / 2;
        for (row, line) in lines.iter().enumerate() {
            let at = (x + width / 2, top + 16 * row as i32 + 12);
            self.text(at, Style::SMALL.middle().colored(color), line);
        }
    }

    /// Records that wait.
    fn cells(&mut self, (x, y): Point, cells: &[&str]) {
        let mut x = x;
        for cell in cells {
            let width = 12 + 7 * cell.len() as i32;
            self.rectangle((x, y, width, 28), RECEIVED, 0.1);
            self.text((x + width / 2, y + 18), Style::SMALL.middle(), cell);
            x += width + 4;
        }
    }

    fn square(&mut self, (x, y): Point, color: &str, is_filled: bool) {
        let fill = if is_filled { color } else { "none" };
        self.line(format_args!(
            r#"<rect x="{x}" y="{y}" width="14" height="14" fill="{fill}" stroke="{color}" stroke-width="2"/>"#
        ));
    }

    fn path(&mut self, points: &[Point], color: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let points = points.join(" ");
        self.line(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>"#
        ));
    }

    /// A path with a head: its last part runs down or to the right.
    fn arrow(&mut self, points: &[Point], color: &str) {
        let [.., (from_x, _), (x, y)] = *points else { return };
        let (base, head) = if from_x == x {
            ((x, y - 6), format!("{x},{y} {},{} {},{}", x - 5, y - 8, x + 5, y - 8))
        } else {
            ((x - 6, y), format!("{x},{y} {},{} {},{}", x - 8, y - 5, x - 8, y + 5))
        };
        let shaft = [&points[..points.len() - 1], &[base]].concat();
        self.path(&shaft, color);
        self.line(format_args!(r#"<polygon points="{head}" fill="{color}"/>"#));
    }

    fn finish(self, label: &str) -> String {
        let (height, body) = (self.height + 8, self.body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" viewBox=\"0 0 {WIDTH} \
             {height}\" font-family=\"sans-serif\" role=\"img\" aria-label=\"{label}\" \
             style=\"max-width:100%;height:auto\">\n{body}</svg>\n"
        )
    }
}
