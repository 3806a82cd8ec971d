//! The dry recording: a stereo loop, and what of it is sent to the room.

use std::f64::consts::FRAC_PI_4;

use crate::LOOP;

/// Where voices are written. Notes that sound past the end go on at the start: the loop has no seam.
pub(crate) struct Stage {
    /// Straight to the ear, left and right.
    pub(crate) dry: [Vec<f64>; 2],
    /// Into the reverberation.
    pub(crate) hall: [Vec<f64>; 2],
    /// Into the echo, which answers from the other side.
    pub(crate) echo: [Vec<f64>; 2],
}

/// How loud a sound is on each way to the ear.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// From -1, left, to 1, right.
    pub(crate) pan: f64,
    /// Straight.
    pub(crate) dry: f64,
    /// Through the hall.
    pub(crate) hall: f64,
    /// Through the echo.
    pub(crate) echo: f64,
}

impl Stage {
    /// Returns silence.
    pub(crate) fn new() -> Self {
        let silence = || [vec![0.0; LOOP], vec![0.0; LOOP]];
        Self { dry: silence(), hall: silence(), echo: silence() }
    }

    /// Adds one sample at a time of the loop, in samples; times past the end wrap.
    pub(crate) fn add(&mut self, at: usize, value: f64, place: Place) {
        let angle = (place.pan + 1.0) * FRAC_PI_4; // Equal power.
        let sides = [angle.cos(), angle.sin()];
        let at = at % LOOP;
        for (side, gain) in sides.into_iter().enumerate() {
            self.dry[side][at] += value * gain * place.dry;
            self.hall[side][at] += value * gain * place.hall;
            self.echo[side][at] += value * gain * place.echo;
        }
    }
}
