//! crawlers
