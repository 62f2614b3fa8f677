//! System tests: the whole path, its attackers, and the rules of the house.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod demo;
mod enrollment;
mod harness;
mod humanness;
mod money;
mod programs;
mod rules;
