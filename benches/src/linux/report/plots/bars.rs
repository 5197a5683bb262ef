//! Horizontal bars, with their names on the left.

use std::path::Path;

use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Canvas, Colour, TEXT, TEXT_SIZE, TITLE_SIZE};

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
    /// Marked by a line across all bars.
    pub limit: Option<(&'static str, f64)>,
    pub legend: &'static [(&'static str, Colour)],
}

const WIDTH: i32 = 860;
const TOP: i32 = 96;
const ROW: i32 = 26;
/// Where the bars begin, and where the longest ends: its text comes after.
const LEFT: i32 = 340;
const RIGHT: i32 = 660;

impl BarPlot {
    pub fn draw(&self, path: &Path) {
        let bottom = TOP + ROW * self.bars.len() as i32;
        let canvas = canvas::canvas(path, (WIDTH as u32, (bottom + 36) as u32));
        canvas::text(&canvas, &self.title, (16, 20), TITLE_SIZE, HPos::Left, VPos::Center);
        let mut x = 16;
        for &(name, color) in self.legend {
            x = canvas::legend_entry(&canvas, name, color, (x, 50));
        }
        for (row, bar) in self.bars.iter().enumerate() {
            self.bar(&canvas, bar, TOP + ROW * row as i32);
        }
        if let Some((name, value)) = self.limit {
            self.limit(&canvas, name, value, bottom);
        }
        canvas::text(&canvas, &self.unit, (LEFT, bottom + 18), TEXT_SIZE, HPos::Left, VPos::Center);
        canvas.present().expect("written");
    }

    fn x(&self, value: f64) -> i32 {
        let most = self.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        LEFT + (value / most * f64::from(RIGHT - LEFT)).round() as i32
    }

    fn bar(&self, canvas: &Canvas<'_>, bar: &Bar, y: i32) {
        let middle = y + ROW / 2;
        let label = (LEFT - 8, middle);
        canvas::text(canvas, &bar.label, label, TEXT_SIZE, HPos::Right, VPos::Center);
        // A bar of nothing is still to be seen.
        let end = self.x(bar.value).max(LEFT + 1);
        let corners = [(LEFT, y + 4), (end, y + ROW - 4)];
        canvas.draw(&Rectangle::new(corners, bar.color.filled())).expect("drawn");
        // Not across the line.
        let limit = self.limit.map_or(0, |(_, value)| self.x(value));
        let covered = end..=end + 16 + TEXT_SIZE * bar.text.len() as i32 / 2;
        let start = if covered.contains(&limit) { limit } else { end };
        canvas::text(canvas, &bar.text, (start + 8, middle), TEXT_SIZE, HPos::Left, VPos::Center);
    }

    fn limit(&self, canvas: &Canvas<'_>, name: &str, value: f64, bottom: i32) {
        let x = self.x(value);
        let line = [(x, TOP - 6), (x, bottom + 4)];
        canvas.draw(&DashedPathElement::new(line, 5, 4, TEXT.stroke_width(2))).expect("drawn");
        canvas::text(canvas, name, (x, TOP - 16), TEXT_SIZE, HPos::Center, VPos::Center);
    }
}
