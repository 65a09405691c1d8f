//! The benchmarks' own arithmetic under test: what they say, and how they count.

#![expect(dead_code, reason = "the benchmarks use the rest")]

#[path = "../lips/measures.rs"]
mod lips;
#[path = "../material/mod.rs"]
mod material;
#[path = "../conversation/outcomes.rs"]
mod outcomes;
mod statistics;
mod words;
