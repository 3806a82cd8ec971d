//! One link to one peer: greets, turns messages into frames and frames into messages, keeps limits.
//!
//! ```text
//! Waiting --Opened--> Greeting --Hello of the same stream--> Ready --Bye, fault--> Closed
//!                        '--5 s, anything else--> Closed
//! ```
//!
//! A malformed frame ends the link: after it the byte stream cannot be read on. The peer's key is not checked here;
//! the descriptions that made the link were signed ([`super::tracker_wire::Signal`]).

use super::frames::{Assembler, Frame, FrameError, Hello, messages};
use crate::time::{Moment, millis};
use alloc::vec::Vec;
use core::time::Duration;

/// How long the peer may take to say hello.
pub const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// Frames that a peer may send at once.
pub const MAX_BURST: u64 = 4096;

/// Frames that a peer may send in a second, once the burst is used up. Far above what a stream of audio needs.
pub const MAX_FRAMES_A_SECOND: u64 = 1024;

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The data channel is open.
    Opened,
    /// A message from the peer.
    Message(Vec<u8>),
    /// Say this; ignored unless the link is ready.
    Say(Frame),
    /// The data channel closed.
    Closed,
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this message.
    Transmit(Vec<u8>),
    /// The peer said hello for our stream.
    Ready(Hello),
    /// The peer said this; never a `Hello`.
    Heard(Frame),
    /// The peer broke the rules; `Close` follows.
    Blame(Fault),
    /// Close the data channel.
    Close,
}

/// What a peer did wrong on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Its bytes are not frames.
    Malformed(FrameError),
    /// It said something before hello.
    NotGreeted,
    /// It said hello twice.
    GreetedTwice,
    /// It said hello for another stream.
    WrongStream,
    /// It did not say hello in time.
    Silent,
    /// It sends more frames than the limit.
    Flood,
}

impl Fault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::NotGreeted => "link/not-greeted",
            Self::GreetedTwice => "link/greeted-twice",
            Self::WrongStream => "link/wrong-stream",
            Self::Silent => "link/silent",
            Self::Flood => "link/flood",
        }
    }

    /// Returns whether the peer should be banned for it: no honest peer of this version does it.
    pub const fn is_ban(&self) -> bool {
        match self {
            Self::Malformed(FrameError::BadVersion(_) | FrameError::UnknownKind(_))
            | Self::Silent
            | Self::WrongStream => false,
            Self::Malformed(_) | Self::NotGreeted | Self::GreetedTwice | Self::Flood => true,
        }
    }
}

/// One link.
#[derive(Clone, Debug)]
pub struct Link {
    hello: Hello,
    state: State,
    assembler: Assembler,
    allowance: u64,
    refilled: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Greeting(Moment),
    Ready,
    Closed,
}

impl Link {
    /// Makes a link that will greet with `hello`.
    pub fn new(hello: Hello) -> Self {
        Self {
            hello,
            state: State::Waiting,
            assembler: Assembler::default(),
            allowance: MAX_BURST.saturating_mul(1000),
            refilled: Moment::ZERO,
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match (self.state, input) {
            (State::Waiting, Input::Opened) => {
                self.state = State::Greeting(now.after(HELLO_PATIENCE));
                self.refilled = now;
                transmit(&Frame::Hello(self.hello.clone()), out);
            }
            (State::Greeting(_) | State::Ready, Input::Message(bytes)) => {
                self.message(now, &bytes, out);
            }
            (State::Ready, Input::Say(frame)) => {
                transmit(&frame, out);
                if matches!(frame, Frame::Bye(_)) {
                    self.close(out);
                }
            }
            (State::Greeting(until), Input::Tick) if until <= now => self.blame(Fault::Silent, out),
            (_, Input::Closed) => self.state = State::Closed,
            (
                State::Waiting | State::Greeting(_) | State::Ready | State::Closed,
                Input::Opened | Input::Message(_) | Input::Say(_) | Input::Tick,
            ) => {}
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub const fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::Greeting(until) => Some(until),
            State::Waiting | State::Ready | State::Closed => None,
        }
    }

    /// Returns whether both ends have greeted.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    fn message(&mut self, now: Moment, bytes: &[u8], out: &mut Vec<Output>) {
        let mut frames = Vec::new();
        let result = self.assembler.push(bytes, &mut frames);
        self.refill(now);
        for frame in frames {
            if self.state == State::Closed {
                return;
            }
            if self.allowance < 1000 {
                self.blame(Fault::Flood, out);
                return;
            }
            self.allowance = self.allowance.saturating_sub(1000);
            self.frame(frame, out);
        }
        if let Err(error) = result
            && self.state != State::Closed
        {
            self.blame(Fault::Malformed(error), out);
        }
    }

    fn frame(&mut self, frame: Frame, out: &mut Vec<Output>) {
        let is_ready = self.is_ready();
        match frame {
            Frame::Hello(_) if is_ready => self.blame(Fault::GreetedTwice, out),
            Frame::Hello(hello) if hello.stream != self.hello.stream => {
                self.blame(Fault::WrongStream, out);
            }
            Frame::Hello(hello) => {
                self.state = State::Ready;
                out.push(Output::Ready(hello));
            }
            Frame::Bye(_) => {
                out.push(Output::Heard(frame));
                self.close(out);
            }
            Frame::Have(_)
            | Frame::HaveDelta(_)
            | Frame::Request(_)
            | Frame::Chunk(_)
            | Frame::Refuse(_)
            | Frame::Cancel(_)
            | Frame::Voucher(_)
            | Frame::PoolRef(_)
            | Frame::Field(_)
            | Frame::Tick(_) => {
                if is_ready {
                    out.push(Output::Heard(frame));
                } else {
                    self.blame(Fault::NotGreeted, out);
                }
            }
        }
    }

    /// The allowance counts thousandths of a frame, so that no millisecond is lost to rounding.
    fn refill(&mut self, now: Moment) {
        let ms = millis(now.since(self.refilled));
        self.refilled = now;
        let more = ms.saturating_mul(MAX_FRAMES_A_SECOND);
        self.allowance = self.allowance.saturating_add(more).min(MAX_BURST.saturating_mul(1000));
    }

    fn blame(&mut self, fault: Fault, out: &mut Vec<Output>) {
        out.push(Output::Blame(fault));
        self.close(out);
    }

    fn close(&mut self, out: &mut Vec<Output>) {
        self.state = State::Closed;
        out.push(Output::Close);
    }
}

fn transmit(frame: &Frame, out: &mut Vec<Output>) {
    out.extend(messages(&frame.to_bytes()).map(|message| Output::Transmit(message.to_vec())));
}

#[cfg(test)]
mod tests;
