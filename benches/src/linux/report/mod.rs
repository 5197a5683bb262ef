//! What comes out: one table for people, one file for programs, and plots.

mod bars;
mod markdown;
mod plots;

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::bars::Bar;
use crate::linux::machine::Machine;
use crate::linux::{
    build_cost, bystanders, fanout, flood, messages, open, read, scale, spawn, wake,
};

/// Everything that was measured. A bench that was not run has no rows.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))] // names of receivers
pub struct Report {
    pub machine: Machine,
    pub bars: Vec<Bar>,
    pub wake: Vec<wake::Row>,
    #[serde(default)]
    pub messages: Vec<messages::Row>,
    pub read: Vec<read::Row>,
    pub flood: Vec<flood::Row>,
    pub open: Vec<open::Row>,
    pub scale: Vec<scale::Row>,
    #[serde(default)] // no older report has them
    pub bystanders: Vec<bystanders::Row>,
    #[serde(default)]
    pub fanout: Vec<fanout::Row>,
    pub spawn: Vec<spawn::Row>,
    pub build: Vec<build_cost::Row>,
}

impl Report {
    /// Judges what was measured.
    pub fn judge(&mut self) {
        self.bars = bars::all(self);
    }

    /// What [`write`](Self::write) has written.
    pub fn read(folder: &Path) -> io::Result<Report> {
        let json = fs::read_to_string(folder.join("report.json"))?;
        Ok(serde_json::from_str(json.leak())?)
    }

    /// Writes the plots alone.
    pub fn draw(&self, folder: &Path) {
        plots::draw(self, folder);
    }

    /// Writes `report.md`, `report.json` and the plots.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.md"), markdown::text(self))?;
        let json = serde_json::to_string_pretty(self).expect("plain data");
        fs::write(folder.join("report.json"), json + "\n")?;
        self.draw(folder);
        Ok(())
    }

    fn woken(&self, id: &str) -> Option<&wake::Row> {
        self.wake.iter().find(|row| row.id == id)
    }
}
