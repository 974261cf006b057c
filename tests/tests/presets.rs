//! Presets: every row against its vectors, what spoils them, what its own sample sender signs, and its handshakes.

#[path = "presets/doctor.rs"]
mod doctor;
#[path = "presets/edit.rs"]
mod edit;
#[path = "presets/examined.rs"]
mod examined;
#[path = "presets/gateway.rs"]
mod gateway;
#[path = "presets/greetings.rs"]
mod greetings;
#[path = "presets/handshakes.rs"]
mod handshakes;
#[path = "presets/negatives.rs"]
mod negatives;
#[path = "presets/round_trip.rs"]
mod round_trip;
#[path = "presets/rows.rs"]
mod rows;
#[path = "presets/spoiled.rs"]
mod spoiled;
#[path = "presets/spoiled_handshake.rs"]
mod spoiled_handshake;
#[path = "presets/spoiled_key.rs"]
mod spoiled_key;
#[path = "presets/spoiled_message.rs"]
mod spoiled_message;
#[path = "presets/spoiled_signature.rs"]
mod spoiled_signature;
#[path = "presets/spoiled_token.rs"]
mod spoiled_token;
#[path = "presets/vectors.rs"]
mod vectors;
