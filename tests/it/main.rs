//! The whole server as a process, with real weights, called with the caller's own library.

mod admin;
mod bad_input;
mod caller;
mod calls;
mod ears;
mod ending;
mod faces;
mod memory;
mod minds;
mod server;
mod sounds;
mod tools;
mod voices;
