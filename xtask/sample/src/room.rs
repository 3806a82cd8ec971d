//! The room: an echo that answers from the other side, a hall, and the last gain.

use crate::stage::Stage;
use crate::{BEAT, LOOP, RATE};

/// Puts the last gain near -16 LUFS, the common level of streams; found by `ffmpeg -af ebur128`.
const LEVEL: f64 = 1.0;

/// Returns the finished loop, left and right, between -1 and 1.
pub(crate) fn finish(stage: &Stage) -> (Vec<f64>, Vec<f64>) {
    let mut echo = Echo::new();
    let mut hall = Hall::new();
    let (mut left, mut right) = (vec![0.0; LOOP], vec![0.0; LOOP]);
    // Twice round, and only the second kept: by then the tail of the end lies under the start.
    for _ in 0..2 {
        for at in 0..LOOP {
            let (echo_left, echo_right) = echo.step(stage.echo[0][at], stage.echo[1][at]);
            let send_left = stage.hall[0][at] + 0.4 * echo_left;
            let send_right = stage.hall[1][at] + 0.4 * echo_right;
            let (hall_left, hall_right) = hall.step(send_left, send_right);
            left[at] = soften(LEVEL * (stage.dry[0][at] + echo_left + hall_left));
            right[at] = soften(LEVEL * (stage.dry[1][at] + echo_right + hall_right));
        }
    }
    (left, right)
}

/// Leaves quiet samples alone and bends loud ones towards 0.85, so that nothing clips.
fn soften(value: f64) -> f64 {
    const KNEE: f64 = 0.55;
    const TOP: f64 = 0.85;
    let size = value.abs();
    if size <= KNEE {
        return value;
    }
    let over = (size - KNEE) / (TOP - KNEE);
    (KNEE + (TOP - KNEE) * over.tanh()).copysign(value)
}

/// A delay line.
struct Line {
    samples: Vec<f64>,
    at: usize,
}

impl Line {
    fn new(length: usize) -> Self {
        Self { samples: vec![0.0; length], at: 0 }
    }

    fn read(&self) -> f64 {
        self.samples[self.at]
    }

    fn write(&mut self, value: f64) {
        self.samples[self.at] = value;
        self.at = (self.at + 1) % self.samples.len();
    }
}

/// A one-pole low-pass filter.
struct Damp {
    part: f64,
    last: f64,
}

impl Damp {
    const fn new(part: f64) -> Self {
        Self { part, last: 0.0 }
    }

    fn step(&mut self, value: f64) -> f64 {
        self.last += self.part * (value - self.last);
        self.last
    }
}

/// Three quarters of a beat later on the other side, softer and darker each time.
struct Echo {
    lines: [Line; 2],
    damps: [Damp; 2],
}

impl Echo {
    fn new() -> Self {
        let line = || Line::new(BEAT * 3 / 4);
        Self { lines: [line(), line()], damps: [Damp::new(0.25), Damp::new(0.25)] }
    }

    fn step(&mut self, left: f64, right: f64) -> (f64, f64) {
        let (back_left, back_right) = (self.lines[0].read(), self.lines[1].read());
        let to_left = self.damps[0].step(right + 0.38 * back_right);
        let to_right = self.damps[1].step(left + 0.38 * back_left);
        self.lines[0].write(to_left);
        self.lines[1].write(to_right);
        (back_left, back_right)
    }
}

/// A feedback delay network: eight lines that feed each other through a Hadamard matrix.
struct Hall {
    lines: [Line; 8],
    damps: [Damp; 8],
    rumble: [Damp; 2],
}

/// Lengths of the lines in samples: primes, 25 to 61 ms.
const LENGTHS: [usize; 8] = [1201, 1399, 1627, 1847, 2099, 2357, 2647, 2917];
/// Seconds until a sound has fallen by 60 dB.
const FADE: f64 = 3.2;

impl Hall {
    fn new() -> Self {
        Self {
            lines: LENGTHS.map(Line::new),
            damps: [(); 8].map(|()| Damp::new(0.42)),
            rumble: [Damp::new(0.02), Damp::new(0.02)],
        }
    }

    fn step(&mut self, left: f64, right: f64) -> (f64, f64) {
        // Low notes make a hall muddy: take them off before they enter.
        let left = left - self.rumble[0].step(left);
        let right = right - self.rumble[1].step(right);
        let mut values = [0.0; 8];
        for (index, value) in values.iter_mut().enumerate() {
            let fade = 10f64.powf(-3.0 * LENGTHS[index] as f64 / (FADE * RATE as f64));
            *value = fade * self.damps[index].step(self.lines[index].read());
        }
        let out_left = values[0] - values[2] + values[4] - values[6];
        let out_right = values[1] - values[3] + values[5] - values[7];
        hadamard(&mut values);
        for (index, line) in self.lines.iter_mut().enumerate() {
            let input = if index % 2 == 0 { left } else { right };
            line.write(values[index] + input);
        }
        (0.5 * out_left, 0.5 * out_right)
    }
}

/// Mixes eight values without changing their power.
fn hadamard(values: &mut [f64; 8]) {
    let mut width = 1;
    while width < values.len() {
        for start in (0..values.len()).step_by(2 * width) {
            for index in start..start + width {
                let (a, b) = (values[index], values[index + width]);
                values[index] = a + b;
                values[index + width] = a - b;
            }
        }
        width *= 2;
    }
    for value in values {
        *value /= 8f64.sqrt();
    }
}
