//! subtitle (being written).
