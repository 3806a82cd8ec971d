//! Who sits at the desk: gives the client commands, and hears what becomes of them.

use crate::{desk::Desk, links::Links};
use antiphon_core::client::{Input, Output};

/// Names a row that a keeper has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Keeps one client. What it does not care about, it need not write.
pub trait Keeper {
    /// What is asked of it from outside, one at a time.
    type Request: Send;

    /// Does what is asked.
    fn serve<L: Links>(&mut self, request: Self::Request, desk: &mut Desk<L>);

    /// Rows that it wrote before, by name; once, before the client begins.
    fn loaded<L: Links>(&mut self, rows: Vec<(String, Vec<u8>)>, desk: &mut Desk<L>) {
        let _ = (rows, desk);
    }

    /// Looks at how all stands: about once a second.
    fn look<L: Links>(&mut self, desk: &mut Desk<L>);

    /// Sees an order before it is carried out. What it names must be durable first: the order waits until then.
    fn before<L: Links>(&mut self, order: &Output, desk: &mut Desk<L>) -> Option<Ticket> {
        let _ = (order, desk);
        None
    }

    /// Hears what the client tells its application: notices, and answers to what was looked up or asked as a player.
    fn hear<L: Links>(&mut self, told: Output, desk: &mut Desk<L>);

    /// Sees what happened outside, before the client does.
    fn watch<L: Links>(&mut self, input: &Input, desk: &mut Desk<L>) {
        let _ = (input, desk);
    }

    /// The client was told to stop, and hears of nobody any more: what is kept now is the last that is written.
    fn leaving<L: Links>(&mut self, desk: &mut Desk<L>) {
        let _ = desk;
    }

    /// A row that it wrote is durable.
    fn kept<L: Links>(&mut self, ticket: Ticket, desk: &mut Desk<L>) {
        let _ = (ticket, desk);
    }
}
