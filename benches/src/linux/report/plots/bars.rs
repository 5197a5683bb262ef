//! Horizontal bars, each under its name: narrow enough to be read on a telephone.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Canvas, Colour, MARGIN, TEXT, TEXT_SIZE, TITLE_SIZE};

pub struct Bar {
    pub label: String,
    pub value: f64,
    pub text: String,
    pub color: Colour,
}

pub struct BarPlot {
    pub title: String,
    pub unit: String,
    pub bars: Vec<Bar>,
    /// Marked on every bar.
    pub limit: Option<(&'static str, f64)>,
    /// Entries of colours that no bar has are left out.
    pub legend: &'static [(&'static str, Colour)],
}

const WIDTH: i32 = 500;
const RIGHT: i32 = WIDTH - MARGIN;
/// Name and figure on one line, and under it the bar.
const ROW: i32 = 40;
const LINE: i32 = 12;
const BAR: (i32, i32) = (22, 34);

impl BarPlot {
    pub fn draw(&self, path: &Path) {
        let shown = |&&(_, color): &&(&str, Colour)| self.bars.iter().any(|bar| bar.color == color);
        let legend: Vec<_> = self.legend.iter().filter(shown).copied().collect();
        let limit = self.limit.map(|(name, _)| name);
        let top = canvas::legend_bottom(&legend, limit, WIDTH);
        let bottom = top + ROW * self.bars.len() as i32;
        let canvas = canvas::canvas(path, (WIDTH as u32, (bottom + 36) as u32));
        canvas::text(&canvas, &self.title, (MARGIN, 20), TITLE_SIZE, HPos::Left, VPos::Center);
        canvas::legend(&canvas, &legend, limit, WIDTH);
        for (row, bar) in self.bars.iter().enumerate() {
            self.bar(&canvas, bar, top + ROW * row as i32);
        }
        let unit = (MARGIN, bottom + 18);
        canvas::text(&canvas, &self.unit, unit, TEXT_SIZE, HPos::Left, VPos::Center);
        canvas.present().expect("written");
    }

    fn x(&self, value: f64) -> i32 {
        let most = self.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        MARGIN + (value / most * f64::from(RIGHT - MARGIN)).round() as i32
    }

    fn bar(&self, canvas: &Canvas<'_>, bar: &Bar, y: i32) {
        let (name, figure) = ((MARGIN, y + LINE), (RIGHT, y + LINE));
        canvas::text(canvas, &bar.label, name, TEXT_SIZE, HPos::Left, VPos::Center);
        canvas::text(canvas, &bar.text, figure, TEXT_SIZE, HPos::Right, VPos::Center);
        // A bar of nothing is still to be seen.
        let end = self.x(bar.value).max(MARGIN + 1);
        let corners = [(MARGIN, y + BAR.0), (end, y + BAR.1)];
        canvas.draw(&Rectangle::new(corners, bar.color.filled())).expect("drawn");
        if let Some((_, value)) = self.limit {
            let x = self.x(value);
            let mark = [(x - 1, y + BAR.0 - 3), (x + 1, y + BAR.1 + 3)];
            canvas.draw(&Rectangle::new(mark, TEXT.filled())).expect("drawn");
        }
    }
}
