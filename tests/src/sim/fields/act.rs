//! What applications do and see in a field of the simulator.

use super::{FieldNet, Weather};
use antiphon_core::{
    amount::Amount,
    id::Address,
    payment::{
        field::{FieldAct, Member},
        member::{FieldView, Membership, Output, PayError, Phase},
    },
    time::Moment,
};
use std::time::Duration;

impl FieldNet {
    /// Opens the field, whatever the weather.
    pub fn open(seed: u64, members: usize, weather: Weather) -> Self {
        let mut net = Self::new(seed, members, weather);
        net.invite();
        net
    }

    /// Lets the leader invite and everybody accept, again after a crash, until the field is open for all.
    ///
    /// # Panics
    /// If it is not open after two minutes.
    pub fn invite(&mut self) {
        let (members, field) = (self.places.len(), self.field);
        let end = self.now.after(Duration::from_secs(120));
        while !(0..members).all(|at| self.phase(at) == Some(Phase::Open)) {
            assert!(self.now < end, "the field does not open");
            let terms = self.terms.clone();
            if self.places[0].machine.is_some() && self.view(0).is_none() {
                let proposed =
                    self.command(0, |machine, now, out| machine.propose(now, terms, out));
                assert_eq!(proposed.map(|it| it.is_ok()), Some(true));
            }
            for at in 1..members {
                if self.phase(at) == Some(Phase::Invited) {
                    let accepted =
                        self.command(at, |machine, now, out| machine.accept(now, field, out));
                    assert_eq!(accepted, Some(Ok(())));
                }
            }
            self.run_for(50);
        }
    }

    /// Returns the place of who leads.
    pub fn leader(&self) -> usize {
        usize::from(self.terms.leader().unwrap())
    }

    /// Returns a member's address.
    pub fn address(&self, at: usize) -> Address {
        Address::of(&self.places[at].key.public())
    }

    /// Returns what a member shows, while it lives and knows the field.
    pub fn view(&self, at: usize) -> Option<FieldView> {
        let views = self.places[at].machine.as_ref()?.view();
        views.into_iter().find(|view| view.id == self.field)
    }

    /// Returns where the field is in its life, for a member.
    pub fn phase(&self, at: usize) -> Option<Phase> {
        self.view(at).map(|view| view.phase)
    }

    /// Returns the balances of the newest sealed state that a member holds.
    pub fn balances(&self, at: usize) -> Vec<u128> {
        let view = self.view(at).unwrap();
        view.members.iter().map(|member| member.balance.units()).collect()
    }

    /// Does what an application does; `None` while the member is dead.
    pub fn command<T>(
        &mut self,
        at: usize,
        command: impl FnOnce(&mut Membership, Moment, &mut Vec<Output>) -> T,
    ) -> Option<T> {
        let mut out = Vec::new();
        let machine = self.places[at].machine.as_mut()?;
        let done = command(machine, self.now, &mut out);
        self.take(at, out);
        Some(done)
    }

    /// Pays; `None` while the payer is dead.
    pub fn pay(&mut self, at: usize, to: usize, amount: u128) -> Option<Result<u64, PayError>> {
        let (field, to) = (self.field, (self.address(to), Amount::from_units(amount)));
        self.command(at, |machine, now, out| machine.pay(now, field, to, out))
    }

    /// Lets the leader close the running round now, if it can.
    pub fn close_round(&mut self) {
        let (field, leader) = (self.field, self.leader());
        let _refused =
            self.command(leader, |machine, now, out| machine.close_round(now, field, out));
    }

    /// Lets a member want the field closed.
    pub fn close(&mut self, at: usize) {
        let field = self.field;
        let _refused = self.command(at, |machine, now, out| machine.close(now, field, out));
    }

    /// Lets the leader propose a next version, if none is on its way, and everybody sign it who is asked.
    pub fn amend(&mut self, change: impl Fn(&mut [Member])) {
        let (field, leader) = (self.field, self.leader());
        let Some(view) = self.view(leader) else { return };
        if view.amendment.is_none() && view.version == 0 {
            let balances = self.balances(leader);
            let mut members: Vec<Member> = (self.terms.members.iter().zip(balances))
                .map(|(member, has)| Member { deposit: Amount::from_units(has), ..*member })
                .collect();
            change(&mut members);
            let until = self.chain.height.plus(30);
            let _not_now = self.command(leader, |machine, now, out| {
                machine.amend(now, field, (members, until), out)
            });
        }
        for at in 0..self.places.len() {
            let asked = self.view(at).and_then(|view| view.amendment);
            if asked.is_some_and(|amendment| !amendment.is_signed) {
                let _not_now =
                    self.command(at, |machine, now, out| machine.accept(now, field, out));
            }
        }
    }

    /// Sends the chain an act as one member.
    pub fn submit(&mut self, at: usize, act: FieldAct) {
        self.chain.submit(self.address(at), act);
    }
}
