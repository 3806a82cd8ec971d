//! What the machine could do at most: bare `verify_strict` on all cores at once.

use std::thread;
use std::time::{Duration, Instant};

use antiphon_core::crypto::{Hash, SecretKey};
use anyhow::{Context as _, Result, ensure};

const SAMPLE: Duration = Duration::from_secs(2);

/// Returns how many signatures all cores together check in a second.
pub(crate) fn verifications_per_second() -> Result<f64> {
    let cores = thread::available_parallelism()?.get();
    let threads: Vec<_> = (0..cores).map(|_| thread::spawn(one_core)).collect();
    let mut sum = 0.0;
    for thread in threads {
        sum += thread.join().ok().context("a thread panicked")??;
    }
    Ok(sum)
}

/// Returns how many signatures one core checks in a second.
pub(crate) fn one_core() -> Result<f64> {
    let key = SecretKey::from_bytes(&[7; 32]);
    let (public, message) = (key.public(), [9; 32]);
    let signature = key.sign_digest(Hash(message));
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < SAMPLE {
        for _ in 0..64 {
            ensure!(public.verify(&message, &signature).is_ok(), "a signature does not verify");
        }
        count += 64;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}
