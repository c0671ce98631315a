//! The backend through ggml's public interface, against sums in f64 of what the tensors hold.

mod header;
mod products;
