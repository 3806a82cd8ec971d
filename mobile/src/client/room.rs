//! Who else is there, and payment fields.

use super::Antiphon;
use crate::{
    call::CallView,
    error::AntiphonError,
    found::Exhibit,
    runtime::on_runtime,
    secretary::Request,
    text::{Address, Amount, hex_32},
};
use antiphon_core::{
    client::{Command, FieldOffer, PaymentAt, journal::Act},
    crypto::PublicKey,
    id::FieldId,
};

#[uniffi::export]
impl Antiphon {
    /// Meets whoever else enters the room of this name; needs a `tracker`. Listeners of a stream have met already.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn enter_room(&self, name: String) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.meet(Some(name)).await }).await
    }

    /// Leaves the room. Fields go on.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn leave_room(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.meet(None).await }).await
    }

    /// Invites others, by key (`snapshot().around`), to a payment field in which each locks `deposit`. This client leads it.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn propose_field(
        &self,
        others: Vec<String>,
        deposit: Amount,
    ) -> Result<(), AntiphonError> {
        let key = |text: &String| hex_32(text, "others").map(|key| PublicKey(key.0));
        let others = others.iter().map(key).collect::<Result<_, _>>()?;
        let offer = FieldOffer { others, deposit: deposit.0, dispute: None };
        self.command(Command::ProposeField(offer)).await
    }

    /// Signs the terms of an invitation, or the next version of a field: the deposit may be locked from now on.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn accept_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::AcceptField(field_id(&field)?)).await
    }

    /// Forgets an invitation.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn decline_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::DeclineField(field_id(&field)?)).await
    }

    /// Pays a member of a field. It is money once it is committed.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn pay_member(
        &self,
        key: String,
        field: String,
        payee: Address,
        amount: Amount,
    ) -> Result<CallView, AntiphonError> {
        let field = field_id(&field)?;
        self.begin(key, Act::PayMember { field, payee: payee.0, amount: amount.0 }).await
    }

    /// Asks all members of a field that this client leads to let somebody in, by key, who locks `deposit`.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn admit_member(
        &self,
        field: String,
        key: String,
        deposit: Amount,
    ) -> Result<(), AntiphonError> {
        let (field, key) = (field_id(&field)?, PublicKey(hex_32(&key, "key")?.0));
        self.command(Command::AdmitMember { field, key, deposit: deposit.0 }).await
    }

    /// Leaves a field of three or more with what this client has in it; the others go on.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn leave_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::LeaveField(field_id(&field)?)).await
    }

    /// Closes a field: at once if every member signs, alone if one is silent.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn close_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::CloseField(field_id(&field)?)).await
    }

    /// Removes what is kept of a field that is over.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn forget_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::ForgetField(field_id(&field)?)).await
    }

    /// Proves one payment of a closed field: `round` and `index` as `snapshot().fields` shows them.
    ///
    /// # Errors
    /// Why there is no proof, in a stable code.
    pub async fn prove_payment(
        &self,
        field: String,
        round: u32,
        index: u32,
    ) -> Result<Exhibit, AntiphonError> {
        let payment = PaymentAt { field: field_id(&field)?, round, index };
        Ok(self.ask(move |reply| Request::Prove(payment, reply)).await?.into())
    }

    /// Returns the newest state of a field that all members have signed, as a file of evidence; none while there is none.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn field_evidence(&self, field: String) -> Result<Option<Vec<u8>>, AntiphonError> {
        let field = field_id(&field)?;
        self.ask(move |reply| Request::Evidence(field, reply)).await
    }
}

fn field_id(text: &str) -> Result<FieldId, AntiphonError> {
    hex_32(text, "field").map(FieldId)
}
