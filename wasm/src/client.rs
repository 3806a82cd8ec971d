//! The client behind the border: one input or command in, an array of orders out.

use crate::{
    command,
    error::{bad_input, coded, throw_panics},
    input,
    money::{self, Answer, Money},
    object::{
        boolean, bytes_32, field, hex_32, integer, list, optional_hex_32, optional_text, text,
        whole,
    },
    output, snapshot,
};
use antiphon_core::{
    chain::light::{Anchor, Skipping},
    client::{Client, Config, Input, Output},
    codec::encode,
    crypto::{Hash, PublicKey, SecretKey},
    id::{BlockId, ChainId, FieldId},
    time::{Moment, UnixMillis},
};
use js_sys::Array;
use std::{fmt, mem::ManuallyDrop};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// One client. Everything it must do comes back from the call that caused it.
#[wasm_bindgen]
pub struct WasmClient {
    /// A worker ends with its client, memory and all: the code that takes one apart would only be downloaded.
    pub(crate) inner: ManuallyDrop<Client>,
    money: ManuallyDrop<Money>,
    /// Reused by every call.
    out: Vec<Output>,
}

#[wasm_bindgen]
impl WasmClient {
    /// Makes a client from `{secret, seed, chain, checkpoint, node, witness, publisher, tracker, cacheBytes, maxPeers, upload, hasTower}`; `secret` and `seed`
    /// are 32 fresh bytes each.
    ///
    /// # Errors
    /// `client/bad-input` with the name of the field that cannot be read.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue) -> Result<Self, JsValue> {
        throw_panics();
        let seed = bytes_32(config, "seed")?;
        let config = Config {
            key: SecretKey::from_bytes(&bytes_32(config, "secret")?),
            chain: ChainId(Hash(hex_32(config, "chain")?)),
            anchor: optional_hex_32(config, "checkpoint")?
                .map_or(Anchor::Genesis, |block| Anchor::Checkpoint(BlockId(Hash(block)))),
            node: text(config, "node")?,
            witnesses: optional_text(config, "witness")?.into_iter().collect(),
            skipping: Skipping::Off,
            publisher: optional_hex_32(config, "publisher")?.map(PublicKey),
            tracker: optional_text(config, "tracker")?,
            cache_limit: size(config, "cacheBytes")?,
            max_links: size(config, "maxPeers")?,
            upload: command::upload(&field(config, "upload"))?,
            has_tower: boolean(config, "hasTower")?,
        };
        let money = ManuallyDrop::new(Money::new(config.chain));
        let inner = ManuallyDrop::new(Client::new(config, seed));
        Ok(Self { inner, money, out: Vec::new() })
    }

    /// Applies one input at a moment of the host's monotonic clock and returns what the host must do, in order.
    ///
    /// # Errors
    /// `client/bad-input` if the host passed something of another shape.
    pub fn handle(&mut self, now_ms: f64, unix_ms: f64, input: &JsValue) -> Result<Array, JsValue> {
        let (now, clock) = times(now_ms, unix_ms)?;
        if let Some(request) = money::read(input)? {
            self.money.serve(request, &mut self.out);
            return Ok(self.take());
        }
        let (money, client, out) = (&mut self.money, &mut self.inner, &mut self.out);
        let mut input = input::read(input)?;
        if let Input::Stored(token) = input
            && money.kept(token, (now, clock), client, out)
        {
            input = Input::Tick;
        } else if let Input::Loaded(rows) = input {
            input = Input::Loaded(money.load(rows, client, out));
        }
        money.watch(&input, out);
        client.handle(now, clock, input, out);
        Ok(self.take())
    }

    /// Gives a command of the application and returns what the host must do, in order.
    ///
    /// # Errors
    /// The client's code if it refuses; `client/bad-input` if the host passed something of another shape.
    pub fn command(
        &mut self,
        now_ms: f64,
        unix_ms: f64,
        command: &JsValue,
    ) -> Result<Array, JsValue> {
        let (now, clock) = times(now_ms, unix_ms)?;
        let command = command::read(command)?;
        self.inner
            .command(now, clock, command, &mut self.out)
            .map_err(|error| coded(error.code(), error.code()))?;
        Ok(self.take())
    }

    /// Returns when a tick is next due, in milliseconds of the host's monotonic clock.
    #[wasm_bindgen(js_name = deadlineMs)]
    pub fn deadline_ms(&self) -> JsValue {
        self.inner.deadline().map_or(JsValue::UNDEFINED, |at| crate::object::number(at.as_millis()))
    }

    /// Says whether `linkDrained` of a `{link}` would tell the client anything.
    #[wasm_bindgen(js_name = awaitsDrained)]
    pub fn awaits_drained(&self, of: &JsValue) -> bool {
        input::link(of).is_ok_and(|link| self.inner.awaits_drained(link))
    }

    /// Learns from what there is to show how far each call of the application is, and returns what the host must do, in order.
    pub fn look(&mut self) -> Array {
        self.money.look(&mut self.inner, &mut self.out);
        self.take()
    }

    /// Returns everything there is to show.
    pub fn snapshot(&self) -> JsValue {
        snapshot::write(&self.inner.snapshot())
    }

    /// Returns the file that proves that the chain has split and who split it, once a witness has shown it.
    #[wasm_bindgen(js_name = forkProof)]
    pub fn fork_proof(&self) -> Option<Vec<u8>> {
        self.inner.fork_proof()
    }

    /// Returns the newest state of a `{field}` that all have signed as a file of evidence.
    pub fn evidence(&self, of: &JsValue) -> Option<Vec<u8>> {
        self.inner.evidence(FieldId(Hash(hex_32(of, "field").ok()?)))
    }

    /// Signs in at `{origin, nonce, expires}`: 64 hexadecimal digits, and milliseconds since 1970. Returns the key, what it signed, and
    /// the 64 bytes of its signature.
    ///
    /// # Errors
    /// `sign-in/bad-origin`, `sign-in/bad-expiry`; `client/bad-input` with the name of the field that cannot be read.
    #[wasm_bindgen(js_name = signIn)]
    pub fn sign_in(&self, at: &JsValue, unix_ms: f64) -> Result<Vec<u8>, JsValue> {
        let now = UnixMillis(whole(unix_ms).ok_or_else(|| bad_input("unixMs"))?);
        let expires = UnixMillis(integer(at, "expires")?);
        self.inner
            .sign_in(&text(at, "origin")?, hex_32(at, "nonce")?, expires, now)
            .map(|signed| encode(&signed))
            .map_err(|error| coded(error.code(), error.code()))
    }

    fn take(&mut self) -> Array {
        self.money.hold(&mut self.inner, &mut self.out);
        let answers = self.money.answers.drain(..).map(|answer| match answer {
            Answer::Found(id, found) => output::answer(id, found),
            Answer::Lost(id, code) => output::write(Output::Lost(id, code)),
        });
        list(self.out.drain(..).map(output::write).chain(answers))
    }
}

impl fmt::Debug for WasmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmClient").finish_non_exhaustive()
    }
}

fn size(config: &JsValue, name: &str) -> Result<usize, JsValue> {
    usize::try_from(integer(config, name)?).map_err(|_| bad_input(name))
}

fn times(now_ms: f64, unix_ms: f64) -> Result<(Moment, UnixMillis), JsValue> {
    let now = whole(now_ms).ok_or_else(|| bad_input("now"))?;
    let clock = whole(unix_ms).ok_or_else(|| bad_input("clock"))?;
    Ok((Moment::from_millis(now), UnixMillis(clock)))
}
