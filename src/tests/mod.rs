//! The one integration binary: what only the assembled parts, or the whole source, can show.

mod architecture;
