//! Conversations in virtual time: the two pure cores, driven by scripted people and engines, without model or clock.
//!
//! Tests only. A [`World`] steps through milliseconds: windows of a person's voice go through the real speech gate,
//! what the [`Dialogue`] orders is done by engines that take scripted times, and what they make is played by the real
//! [`Timeline`]. [`scenario`] holds scripts with traces to compare, [`random`] thousands of dice-thrown conversations.

mod engines;
mod listener;
mod person;
mod random;
mod scenario;
mod trace;
mod world;
