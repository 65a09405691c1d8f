//! The whole server as a process, with real weights, called with the caller's own library.

mod bad_input;
mod caller;
mod calls;
mod ears;
mod ending;
mod faces;
mod interface;
mod memory;
mod minds;
mod said;
mod server;
mod sounds;
mod tools;
mod voices;
