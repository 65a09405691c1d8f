//! The parts of the benchmark that measure, apart from what runs it: so that their tests run with the others.

pub mod align;
pub mod call;
pub mod clocks;
pub mod closures;
pub mod drift;
pub mod ear;
pub mod follows;
pub mod lag;
pub mod line;
pub mod opening;
pub mod sheet;
pub mod shift;
pub mod spectrum;
pub mod tables;
pub mod texts;
pub mod voices;
