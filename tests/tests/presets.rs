//! Presets: every row against its vectors, what spoils them, what its own sample sender signs, and its handshakes.

#[path = "presets/rows.rs"]
mod rows;
#[path = "presets/vectors.rs"]
mod vectors;
