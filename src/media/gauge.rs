//! How far an extraction is: the samples so far against the length that the file announces.
//!
//! The two are heard of on different threads, in any order.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::sync::watch;

use super::SAMPLE_RATE;

/// Progress is told in steps of this size.
const STEP: f64 = 0.005;

/// Tells fractions that never fall, none of them 1.
pub(super) struct Gauge {
    /// Bytes that the announced length makes; 0 while nothing is announced.
    expected: AtomicU64,
    /// Bytes so far.
    written: AtomicU64,
    news: watch::Sender<f64>,
}

impl Gauge {
    pub(super) fn new(news: watch::Sender<f64>) -> Self {
        Self { expected: AtomicU64::new(0), written: AtomicU64::new(0), news }
    }

    /// The file says how long it is.
    pub(super) fn expect(&self, length: Duration) {
        let bytes = length.as_secs_f64() * f64::from(SAMPLE_RATE * 2);
        self.expected.store(bytes as u64, Ordering::SeqCst);
        self.tell();
    }

    /// So many bytes of samples are there.
    pub(super) fn written(&self, bytes: u64) {
        self.written.store(bytes, Ordering::SeqCst);
        self.tell();
    }

    fn tell(&self) {
        let expected = self.expected.load(Ordering::SeqCst);
        if expected == 0 {
            return;
        }
        let fraction = (self.written.load(Ordering::SeqCst) as f64 / expected as f64).min(1.0 - STEP);
        self.news.send_if_modified(|told| {
            let is_news = fraction - *told >= STEP;
            if is_news {
                *told = fraction;
            }
            is_news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_comes_last_tells() {
        let second = Duration::from_secs(1);
        let (news, heard) = watch::channel(0.0);
        let gauge = Gauge::new(news);
        gauge.written(8_000);
        assert_eq!(*heard.borrow(), 0.0, "nobody knows of how much");
        gauge.expect(second);
        assert_eq!(*heard.borrow(), 0.25);
        gauge.written(16_000);
        assert_eq!(*heard.borrow(), 0.5);
        gauge.written(16_010);
        gauge.expect(2 * second);
        assert_eq!(*heard.borrow(), 0.5, "less is not told, nor is what nobody could see");
        gauge.written(1_000_000);
        assert_eq!(*heard.borrow(), 1.0 - STEP);
    }
}
