//! Lines over a logarithmic axis.

use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Canvas, Colour, MARGIN, TEXT, TEXT_SIZE, TITLE_SIZE};

pub struct Series {
    pub name: &'static str,
    pub color: Colour,
    pub points: Vec<(f64, f64)>,
}

pub struct LinePlot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub series: Vec<Series>,
    /// Drawn as a dashed line.
    pub limit: Option<Series>,
    /// Between two marks on the horizontal axis.
    pub base: f64,
    pub is_log_y: bool,
}

const WIDTH: i32 = 500;
const HEIGHT: i32 = 400;

impl LinePlot {
    pub fn draw(&self, path: &Path) {
        let legend: Vec<_> = self.all().map(|series| (series.name, series.color)).collect();
        let top = canvas::legend_bottom(&legend, None, WIDTH);
        let canvas = canvas::canvas(path, (WIDTH as u32, (top + HEIGHT) as u32));
        canvas::text(&canvas, &self.title, (MARGIN, 20), TITLE_SIZE, HPos::Left, VPos::Center);
        canvas::legend(&canvas, &legend, None, WIDTH);
        let plot = canvas.margin(top, 16, 16, 24);
        let ys = || self.all().flat_map(|series| &series.points).map(|&(_, y)| y);
        let most = ys().fold(0.0, f64::max);
        if self.is_log_y {
            let least = ys().fold(most, f64::min);
            self.chart(&plot, (least / 1.5..most * 1.5).log_scale());
        } else {
            self.chart(&plot, 0.0..most * 1.1);
        }
        canvas.present().expect("written");
    }

    fn all(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().chain(&self.limit)
    }

    fn chart<Y>(&self, plot: &Canvas<'_>, ys: Y)
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let xs: Vec<f64> = self.all().flat_map(|series| &series.points).map(|&(x, _)| x).collect();
        let (first, last) =
            (xs.iter().copied().fold(f64::MAX, f64::min), xs.iter().copied().fold(0.0, f64::max));
        let mut chart = ChartBuilder::on(plot)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d((first..last).log_scale().base(self.base), ys)
            .expect("axes");
        let font = ("sans-serif", TEXT_SIZE).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .x_desc(&self.x)
            .y_desc(&self.y)
            .axis_desc_style(font.clone())
            .label_style(font)
            .axis_style(TEXT)
            .bold_line_style(TEXT.mix(0.3))
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| if *y < 10.0 { format!("{y:.1}") } else { format!("{y:.0}") })
            .draw()
            .expect("drawn");
        for series in &self.series {
            let style = series.color.stroke_width(2);
            let points = || series.points.iter().copied();
            chart.draw_series(LineSeries::new(points(), style)).expect("drawn");
            let dots = points().map(|point| Circle::new(point, 4, series.color.filled()));
            chart.draw_series(dots).expect("drawn");
        }
        if let Some(limit) = &self.limit {
            let style = limit.color.stroke_width(2);
            let line = DashedLineSeries::new(limit.points.iter().copied(), 6, 4, style);
            chart.draw_series(line).expect("drawn");
        }
    }
}
