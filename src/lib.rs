//! visavis: a live conversation with a talking face, served from a CPU over WebRTC.
//!
//! The way of the data, from the browser and back: [`peer`] receives and sends RTP, [`audio`] decodes,
//! [`hearing`] finds speech and its words, [`dialogue`] decides, [`language`] thinks, [`voice`] speaks,
//! [`playout`] lays sound and [`face`] on one clock, [`video`] encodes. [`session`] runs one call over them,
//! [`tools`] are what the mind may call, [`knowledge`] what the persona knows, [`memory`] what was said before;
//! [`avatars`] are the faces by name, [`engines`] holds what calls share, [`server`] starts and ends it all.

pub mod audio;
pub mod avatars;
mod breaker;
pub mod call;
pub mod clock;
pub mod config;
pub mod dialogue;
pub mod engines;
pub mod face;
pub mod hearing;
pub mod knowledge;
pub mod language;
pub mod log;
pub mod media;
pub mod memory;
pub mod metrics;
pub mod models;
pub mod news;
pub mod onnx;
pub mod page;
pub mod peer;
pub mod playout;
pub mod say;
pub mod server;
pub mod session;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;
pub mod threads;
pub mod tools;
pub mod video;
pub mod voice;
