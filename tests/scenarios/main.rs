//! Scenarios over all crates: one test binary, one module a story.

mod vectors;
