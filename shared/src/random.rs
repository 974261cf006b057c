//! The one source of randomness: the operating system's, or a seed in tests.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// A source of random values, cheap to clone.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<StdRng>>);

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Random {
    /// A generator (ChaCha) keyed from the operating system.
    ///
    /// # Panics
    /// When the operating system has no randomness to give; nothing can be kept safe then.
    #[must_use]
    pub fn from_os() -> Self {
        let rng = StdRng::try_from_rng(&mut SysRng).expect("the operating system gives random bytes");
        Self(Arc::new(Mutex::new(rng)))
    }

    /// A generator that repeats itself, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        // A panic while drawing leaves the generator usable.
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// 128 random bits.
    #[must_use]
    pub fn bits(&self) -> u128 {
        self.with(|rng| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64()))
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    /// A number from 0 up to, but not including, 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.with(|rng| rng.random::<f64>())
    }

    /// `length` letters and digits, about 5.95 bits each.
    #[must_use]
    pub fn alphanumeric(&self, length: usize) -> String {
        self.with(|rng| {
            (0..length).map(|_| char::from(ALPHANUMERIC[rng.random_range(0..ALPHANUMERIC.len())])).collect()
        })
    }
}
