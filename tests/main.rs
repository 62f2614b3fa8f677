//! System tests: the whole path, its attackers, and the rules of the house.

mod demo;
mod enrollment;
mod harness;
mod humanness;
mod money;
mod rules;
