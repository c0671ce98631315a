//! transcribe (being written).
