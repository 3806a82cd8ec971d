//! Routes what the application asks for.

use super::{Client, Command, CommandError, Now, Output};
use crate::{
    delivery::serve,
    payment::field::Member,
    time::{Moment, UnixMillis},
    wallet::book::{self, Book},
};
use alloc::vec::Vec;
use core::time::Duration;

/// How long each block is wanted as it comes once the application says so. Chosen here: long enough to say it seldom, short
/// enough that a page which was left costs little.
const FOLLOWED: Duration = Duration::from_secs(30);

impl Client {
    /// Does what the application asks for.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is done then.
    pub fn command(
        &mut self,
        now: Moment,
        clock: UnixMillis,
        command: Command,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        let now = self.clamp(now, clock);
        let done = match command {
            Command::OpenPool(deposit) => self.open_pool(now, deposit, out),
            Command::Settle => self.settle(now, out),
            Command::Release => self.release(now, out),
            Command::AskFaucet => self.with_book(now, out, |book, lifted| {
                book.ask_faucet(lifted);
                Ok(())
            }),
            Command::Transfer { token, to, amount } => self.check_fresh(now).and_then(|()| {
                self.with_book(now, out, |book, lifted| {
                    book.transfer(now.at, token, to, amount, lifted)
                })
            }),
            Command::Bond(staker, amount) => self.check_fresh(now).and_then(|()| {
                self.with_book(now, out, |book, lifted| book.bond(now.at, staker, amount, lifted))
            }),
            Command::Unbond(staker, amount) => {
                self.with_book(now, out, |book, lifted| book.unbond(now.at, staker, amount, lifted))
            }
            Command::Withdraw(staker) => {
                self.with_book(now, out, |book, lifted| book.withdraw(now.at, staker, lifted))
            }
            Command::SetUpload(policy) => {
                self.config.upload = policy;
                self.feed_serve(now, serve::Input::Agreed(policy), out);
                for peer in self.linked() {
                    self.tell_holdings(now, peer, out);
                }
                Ok(())
            }
            Command::ProposeField(offer) => self.propose_field(now, offer, out),
            Command::AcceptField(field) => self.accept_field(now, field, out),
            Command::DeclineField(field) => self.try_fields(now, out, |fields, lifted| {
                fields.decline(field, lifted);
                Ok(())
            }),
            Command::PayMember { field, payee, amount } => {
                self.try_fields(now, out, |fields, lifted| {
                    let paid = fields.pay(now.at, field, (payee, amount), lifted);
                    paid.map(|_| ()).map_err(CommandError::Pay)
                })
            }
            Command::AdmitMember { field, key, deposit } => {
                self.admit_member(now, field, Member { key, deposit }, out)
            }
            Command::LeaveField(field) => self.try_fields(now, out, |fields, lifted| {
                fields.leave(now.at, field, lifted).map_err(CommandError::Amend)
            }),
            Command::Give { to, amount, purpose } => self.give(now, (to, amount, purpose), out),
            Command::CloseField(field) => self.try_fields(now, out, |fields, lifted| {
                fields.close(now.at, field, lifted).map_err(CommandError::Close)
            }),
            Command::ForgetField(field) => self.forget_field(now, field, out),
            Command::Enter(name) => self.enter(now, &name, out),
            Command::Exit => {
                self.exit(now, out);
                Ok(())
            }
            Command::Follow => {
                self.followed_until = now.at.after(FOLLOWED);
                Ok(())
            }
            Command::Stop => {
                self.exit(now, out);
                self.stop(now, out);
                Ok(())
            }
        };
        self.finish(now, out);
        done
    }

    pub(super) fn with_book(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Book, &mut Vec<book::Output>) -> Result<(), book::BookError>,
    ) -> Result<(), CommandError> {
        let purse = self.purse.as_mut().ok_or(CommandError::NotReady)?;
        let mut lifted = Vec::new();
        let done = act(&mut purse.book, &mut lifted);
        self.lift_book(now, lifted, out);
        done.map_err(CommandError::Book)
    }
}
