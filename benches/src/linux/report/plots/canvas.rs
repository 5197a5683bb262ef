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

pub const TEXT_SIZE: i32 = 14;
pub const TITLE_SIZE: i32 = 18;

pub fn canvas(path: &Path, size: (u32, u32)) -> Canvas<'_> {
    SVGBackend::new(path, size).into_drawing_area()
}

/// Writes a line of text; `h` and `v` say which part of it stands at `at`.
pub fn text(canvas: &Canvas<'_>, text: &str, at: (i32, i32), size: i32, h: HPos, v: VPos) {
    let style = ("sans-serif", size).into_font().color(&TEXT).pos(Pos::new(h, v));
    canvas.draw(&Text::new(text.to_owned(), at, style)).expect("drawn");
}

/// A sample of the colour and what it stands for; returns where the next one may begin.
pub fn legend_entry(canvas: &Canvas<'_>, name: &str, color: Colour, at: (i32, i32)) -> i32 {
    let (x, y) = at;
    canvas.draw(&Rectangle::new([(x, y - 5), (x + 12, y + 5)], color.filled())).expect("drawn");
    text(canvas, name, (x + 18, y), TEXT_SIZE, HPos::Left, VPos::Center);
    x + 18 + name.len() as i32 * TEXT_SIZE / 2 + 16
}
