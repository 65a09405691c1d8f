//! The executable, from outside: started as a child process and spoken to over HTTP.
//!
//! What needs no weights always runs. The rest needs a GGUF chat model in `VISAVIS_TEST_LLM` (`make test` sets it)
//! and says so when it is left out; a variable that names no file is a failure.

mod ahead;
mod chat;
mod errors;
mod forms;
mod lifetime;
mod start;
mod support;
