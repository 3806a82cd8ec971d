//! A wallet for the command line: `FOLDER NODE CHAIN [TRACKER]`, then one command a line. In Rust, without a border between.

use antiphon_mobile::{
    Address, Amount, Antiphon, AntiphonError, CallStage, CallView, ConnectOptions, FieldPhase,
    FieldView, Level, SecretStore, Snapshot, Token, Words, connect, format_amount, parse_amount,
};
use std::{
    env, fs, io,
    io::{BufRead as _, Write as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How often a wallet looks whether something has come about.
const PAUSE: Duration = Duration::from_millis(100);

/// Keeps secrets in files of a folder. A device has something better.
struct FileStore(PathBuf);

impl SecretStore for FileStore {
    fn get(&self, name: String) -> Result<Option<Vec<u8>>, AntiphonError> {
        match fs::read(self.0.join(name + ".secret")) {
            Ok(secret) => Ok(Some(secret)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(AntiphonError::Foreign),
        }
    }

    fn put(&self, name: String, secret: Vec<u8>) -> Result<(), AntiphonError> {
        fs::write(self.0.join(name + ".secret"), secret).map_err(|_| AntiphonError::Foreign)
    }

    fn delete(&self, name: String) -> Result<(), AntiphonError> {
        fs::remove_file(self.0.join(name + ".secret")).map_err(|_| AntiphonError::Foreign)
    }
}

struct Wallet {
    store: Arc<FileStore>,
    options: [String; 4],
    open: Option<Arc<Antiphon>>,
}

impl Wallet {
    async fn answer(&mut self, words: &[&str]) -> Result<String, AntiphonError> {
        Ok(match words {
            ["create"] => self.keep(&Words::generate()?)?,
            ["restore", words @ ..] => self.keep(&Words::restore(words.join(" ").as_bytes())?)?,
            ["open"] => self.open().await?,
            ["faucet"] => {
                self.client()?.ask_faucet().await?;
                let balance = |shown: Snapshot| {
                    let value = shown.wallet.account?.balance.value;
                    (value.0.units() > 0).then_some(value)
                };
                format!("balance {}", format_amount(self.until(balance).await?))
            }
            ["balance"] => {
                let found =
                    self.client()?.find_account(self.address().await?, Level::Final).await?;
                format!("final {}", format_amount(found.operational))
            }
            ["send", key, to, amount] => called(&self.send(key, to, amount).await?),
            ["cancel", key, to, amount] => {
                // Polled once, and dropped.
                let _ = timeout(Duration::ZERO, self.send(key, to, amount)).await;
                text("cancelled")
            }
            ["wait", key, stage] => self.wait(key, stage).await?,
            ["events", key] => self.events(key).await?,
            ["give", key, to, amount, purpose] => {
                let (to, amount) = (to.parse()?, parse_amount(amount)?);
                let give = self.client()?.give(text(key), to, amount, text(purpose));
                called(&give.await?)
            }
            ["gift", stage] => {
                let gift = |shown: Snapshot| {
                    shown.gifts.into_iter().find(|gift| named(&gift.stage) == *stage)
                };
                let gift = self.until(gift).await?;
                format!("gift {} {}", format_amount(gift.amount), gift.purpose)
            }
            ["listen", url] => {
                self.client()?.listen(text(url)).await?;
                let heard = |shown: Snapshot| shown.stream.filter(|_| shown.delivery.cached > 0);
                format!("stream {}", self.until(heard).await?.name)
            }
            ["pool", key, deposit] => {
                called(&self.client()?.open_pool(text(key), parse_amount(deposit)?).await?)
            }
            ["earn"] => self.earn().await?,
            ["room", name] => {
                self.client()?.enter_room(text(name)).await?;
                let around = |shown: Snapshot| Some(shown.around.len()).filter(|&count| count > 0);
                format!("around {}", self.until(around).await?)
            }
            ["propose", deposit] => {
                let others = self.client()?.snapshot().around.into_iter().map(|one| one.peer);
                self.client()?.propose_field(others.collect(), parse_amount(deposit)?).await?;
                text("proposed")
            }
            ["accept"] => {
                let field = self.field(FieldPhase::Invited).await?.field;
                self.client()?.accept_field(field).await?;
                text("accepted")
            }
            ["pay", key, amount] => self.pay(key, parse_amount(amount)?).await?,
            ["release"] => self.client()?.release().await.map(|()| text("released"))?,
            ["close"] => self.client()?.shut_down().await.map(|()| text("closed"))?,
            ["suspend"] => self.client()?.suspend().await.map(|()| text("suspended"))?,
            ["resume"] => self.client()?.resume().await.map(|()| text("resumed"))?,
            _ => text("unknown"),
        })
    }

    /// What was not opened is as good as closed.
    fn client(&self) -> Result<&Antiphon, AntiphonError> {
        self.open
            .as_deref()
            .ok_or_else(|| AntiphonError::Unavailable { why: text("client/closed") })
    }

    async fn address(&self) -> Result<Address, AntiphonError> {
        self.until(|shown| shown.wallet.address).await
    }

    fn keep(&self, words: &Words) -> Result<String, AntiphonError> {
        words.save(self.store.clone(), text("main"))?;
        Ok(format!("address {}", words.account(0)?.address()))
    }

    async fn open(&mut self) -> Result<String, AntiphonError> {
        let account = Words::load(self.store.clone(), text("main"))?.account(0)?;
        let [folder, node, chain, tracker] = self.options.clone();
        let options =
            ConnectOptions { tracker: Some(tracker), ..ConnectOptions::new(node, chain, folder) };
        self.open = Some(connect(options, Arc::new(account)).await?);
        self.until(|shown| shown.wallet.account).await?;
        Ok(text("open"))
    }

    async fn until<T>(&self, ready: impl Fn(Snapshot) -> Option<T>) -> Result<T, AntiphonError> {
        loop {
            if let Some(found) = ready(self.client()?.snapshot()) {
                return Ok(found);
            }
            sleep(PAUSE).await;
        }
    }

    async fn send(&self, key: &str, to: &str, amount: &str) -> Result<CallView, AntiphonError> {
        let (to, amount) = (to.parse()?, parse_amount(amount)?);
        self.client()?.transfer(text(key), to, amount, Token::Operational).await
    }

    async fn wait(&self, key: &str, stage: &str) -> Result<String, AntiphonError> {
        loop {
            let call = self.client()?.call(text(key)).await?;
            if let Some(code) = call.code {
                return Ok(format!("{key} failed {code}"));
            }
            if rank(&named(&call.stage)) >= rank(stage) {
                return Ok(format!("{key} {stage}"));
            }
            sleep(PAUSE).await;
        }
    }

    async fn events(&self, key: &str) -> Result<String, AntiphonError> {
        loop {
            let event = self.client()?.next_event().await?;
            self.client()?.event_handled(event.id).await?;
            if event.call.key == key && event.call.stage == CallStage::Final {
                return Ok(format!("told {key} final"));
            }
        }
    }

    async fn earn(&self) -> Result<String, AntiphonError> {
        self.until(|shown| (shown.wallet.vouchers_in.0.units() > 0).then_some(())).await?;
        self.client()?.settle().await?;
        self.until(|shown| shown.wallet.settlements.into_iter().find_map(|one| one.level)).await?;
        Ok(text("earned"))
    }

    async fn field(&self, phase: FieldPhase) -> Result<FieldView, AntiphonError> {
        self.until(|shown| shown.fields.into_iter().find(|field| field.phase == phase)).await
    }

    async fn pay(&self, key: &str, amount: Amount) -> Result<String, AntiphonError> {
        let (field, me) = (self.field(FieldPhase::Open).await?, self.address().await?);
        let other = field.members.iter().map(|member| member.address).find(|other| *other != me);
        let other = other.unwrap_or(me);
        Ok(called(&self.client()?.pay_member(text(key), field.field, other, amount).await?))
    }
}

fn text(word: &str) -> String {
    word.to_owned()
}

fn called(call: &CallView) -> String {
    format!("call {}", call.key)
}

/// A variant's name as a person writes it.
fn named(stage: &impl std::fmt::Debug) -> String {
    format!("{stage:?}").to_lowercase()
}

fn rank(stage: &str) -> Option<usize> {
    ["asked", "pending", "included", "committed", "settled", "final"]
        .iter()
        .position(|one| *one == stage)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let options = [(); 4].map(|()| words.next().unwrap_or_default());
    let store = Arc::new(FileStore(options[0].clone().into()));
    let mut wallet = Wallet { store, options, open: None };
    for line in io::stdin().lock().lines() {
        let answer = wallet.answer(&line?.split(' ').collect::<Vec<_>>()).await;
        let answer = answer.unwrap_or_else(|error| format!("error {}", error.code()));
        writeln!(io::stdout(), "{answer}")?;
    }
    if let Some(client) = wallet.open {
        client.shut_down().await.map_err(io::Error::other)?;
    }
    Ok(())
}
