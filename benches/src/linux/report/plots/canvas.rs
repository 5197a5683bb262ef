//! What all plots share: colours that can be read on white and on black, and text.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Colour = RGBColor;
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

// Each has a contrast of three to one or more with white and with GitHub's dark background; text
// has four to one. The background stays transparent.
pub const GREY: Colour = RGBColor(0x80, 0x80, 0x80);
pub const ORANGE: Colour = RGBColor(0xd9, 0x5f, 0x0e);
pub const BLUE: Colour = RGBColor(0x2f, 0x81, 0xd7);
pub const VIOLET: Colour = RGBColor(0x9a, 0x6a, 0xd6);
pub const TEXT: Colour = RGBColor(0x76, 0x76, 0x76);

/// In plotters' unit, which is 0.8 of a pixel.
pub const TEXT_SIZE: i32 = 17;
pub const TITLE_SIZE: i32 = 20;
/// What text of this size takes, a character, at most and on average.
const CHARACTER: i32 = 8;
pub const MARGIN: i32 = 16;

const LEGEND_TOP: i32 = 50;
const LEGEND_ROW: i32 = 24;

pub fn canvas(path: &Path, size: (u32, u32)) -> Canvas<'_> {
    SVGBackend::new(path, size).into_drawing_area()
}

/// Writes a line of text; `h` and `v` say which part of it stands at `at`.
pub fn text(canvas: &Canvas<'_>, text: &str, at: (i32, i32), size: i32, h: HPos, v: VPos) {
    let style = ("sans-serif", size).into_font().color(&TEXT).pos(Pos::new(h, v));
    canvas.draw(&Text::new(text.to_owned(), at, style)).expect("drawn");
}

/// What the colours stand for, and the mark or the dashed line: as many entries in a row as fit.
pub fn legend(canvas: &Canvas<'_>, colors: &[(&str, Colour)], mark: Option<&str>, width: i32) {
    for (name, color, (x, y)) in placed(colors, mark, width) {
        let sample = match color {
            Some(_) => [(x, y - 5), (x + 12, y + 5)],
            None => [(x + 5, y - 9), (x + 7, y + 9)],
        };
        let color = color.unwrap_or(TEXT);
        canvas.draw(&Rectangle::new(sample, color.filled())).expect("drawn");
        text(canvas, name, (x + 18, y), TEXT_SIZE, HPos::Left, VPos::Center);
    }
}

/// Where the legend ends, and the plot may begin.
pub fn legend_bottom(colors: &[(&str, Colour)], mark: Option<&str>, width: i32) -> i32 {
    placed(colors, mark, width).last().map_or(LEGEND_TOP, |(_, _, (_, y))| y + LEGEND_ROW)
}

type Placed<'a> = (&'a str, Option<Colour>, (i32, i32));

fn placed<'a>(colors: &[(&'a str, Colour)], mark: Option<&'a str>, width: i32) -> Vec<Placed<'a>> {
    let (mut x, mut y) = (MARGIN, LEGEND_TOP);
    let colors = colors.iter().map(|&(name, color)| (name, Some(color)));
    let entries = colors.chain(mark.map(|name| (name, None)));
    let place = |(name, color): (&'a str, Option<Colour>)| {
        let wide = 18 + name.len() as i32 * CHARACTER;
        if x > MARGIN && x + wide > width {
            (x, y) = (MARGIN, y + LEGEND_ROW);
        }
        let at = (x, y);
        x += wide + MARGIN;
        (name, color, at)
    };
    entries.map(place).collect()
}
