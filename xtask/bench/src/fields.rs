//! How fields add up: independent fields on all cores, beside one field on one core and beside the bare signatures of both.
//!
//! ```text
//! {"fields": 4, "threads": 2, "perSecond": 9100.0, "barePerSecond": 9900.0, "times": 1.9, "bareTimes": 1.9}
//! ```
//!
//! *times* is over one field in the same sample; *bareTimes* says what the machine's cores bring where nothing but
//! arithmetic runs on them. Each thread has fields of its own and lets them go through a round in turn.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::field::{Room, bare};
use crate::median;

/// Members of each field: the mean of the simulated thousand.
const MEMBERS: usize = 6;
/// Payments of a round.
const PAYMENTS: usize = 512;
/// How many fields run beside each other.
const FIELDS: [usize; 4] = [1, 2, 4, 8];
/// Samples, each of every number of fields.
const SAMPLES: usize = 5;

/// Times fields beside each other, and prints a line of JSON for each number of them.
///
/// # Errors
///
/// A field does not open, or a round is not sealed.
pub(crate) fn measure() -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    let rooms = (1..=8).map(|number| Room::new(MEMBERS, number)).collect::<Result<Vec<_>>>();
    let mut rooms = rooms?;
    let mut rows = [const { Vec::new() }; FIELDS.len()];
    for _ in 0..SAMPLES {
        let mut alone = None;
        for (rows, fields) in rows.iter_mut().zip(FIELDS) {
            let threads = fields.min(cores);
            let ours = together(&mut rooms, fields, threads, |room| room.round(PAYMENTS))?;
            let bare =
                together(&mut rooms, fields, threads, |_| bare(MEMBERS, PAYMENTS).map(|_| ()))?;
            let (one, bare_one) = *alone.get_or_insert((ours, bare));
            rows.push([ours, bare, ours / one, bare / bare_one]);
        }
    }
    for (rows, fields) in rows.iter().zip(FIELDS) {
        let of = |at: usize| median(rows.iter().filter_map(|row| row.get(at).copied()));
        let line = serde_json::json!({
            "fields": fields,
            "members": MEMBERS,
            "threads": fields.min(cores),
            "perSecond": of(0),
            "barePerSecond": of(1),
            "times": of(2),
            "bareTimes": of(3),
        });
        println!("{line}");
    }
    Ok(())
}

/// Lets each of the first `fields` rooms do one round's work, on so many threads; returns payments in a second.
fn together(
    rooms: &mut [Room],
    fields: usize,
    threads: usize,
    work: impl Fn(&mut Room) -> Result<()> + Sync,
) -> Result<f64> {
    let each = fields.div_ceil(threads);
    // The clock starts when all threads do.
    let ready = Barrier::new(threads + 1);
    let (ready, work) = (&ready, &work);
    let start = thread::scope(|scope| {
        let shares = rooms.iter_mut().take(fields).collect::<Vec<_>>();
        let mut shares = shares.into_iter();
        let running: Vec<_> = (0..threads)
            .map(|_| {
                let share: Vec<&mut Room> = shares.by_ref().take(each).collect();
                scope.spawn(move || {
                    ready.wait();
                    share.into_iter().try_for_each(work)
                })
            })
            .collect();
        ready.wait();
        let start = Instant::now();
        for thread in running {
            thread.join().map_err(|_| anyhow!("a thread is broken"))??;
        }
        Ok::<_, anyhow::Error>(start)
    })?;
    Ok((fields * PAYMENTS) as f64 / start.elapsed().as_secs_f64())
}
