//! A wallet for the command line: `FOLDER NODE CHAIN TRACKER`, then one command a line. In Rust, without a border between.

mod keeping;
mod listening;
mod room;
mod store;
mod told;
mod wallet;

use antiphon_mobile::{
    Antiphon, AntiphonError, CallView, ConnectOptions, Words, format_amount, parse_amount,
};
use std::{env, io, io::BufRead as _, io::Write as _};
use wallet::Wallet;

/// Does what a line says.
async fn answer(wallet: &mut Wallet, words: &[&str]) -> Result<String, AntiphonError> {
    Ok(match words {
        ["create"] => format!("address {}", wallet.keep(&Words::generate()?)?),
        ["restore", words @ ..] => {
            format!("address {}", wallet.keep(&Words::restore(words.join(" ").as_bytes())?)?)
        }
        ["open"] => wallet.open().await.map(|()| text("open"))?,
        words => ask(wallet.client()?, words).await?,
    })
}

/// Does what takes an open client.
async fn ask(client: &Antiphon, words: &[&str]) -> Result<String, AntiphonError> {
    Ok(match words {
        ["faucet"] => format!("balance {}", format_amount(wallet::receive(client).await?)),
        ["balance"] => format!("final {}", format_amount(wallet::final_balance(client).await?)),
        ["came", from] => {
            format!("came {}", format_amount(told::came(client, from.parse()?).await?))
        }
        ["send", key, to, amount] => called(&wallet::send(client, key, to, amount).await?),
        ["cancel", key, to, amount] => {
            wallet::give_up(client, key, to, amount).await;
            text("cancelled")
        }
        ["wait", key, stage] => match wallet::reach(client, key, stage).await? {
            Some(code) => format!("{key} failed {code}"),
            None => format!("{key} {stage}"),
        },
        ["events", key] => {
            told::hear_of(client, key).await?;
            format!("told {key} final")
        }
        ["give", key, to, amount, purpose] => {
            let (to, amount) = (to.parse()?, parse_amount(amount)?);
            called(&client.give(text(key), to, amount, text(purpose)).await?)
        }
        ["gift", stage] => {
            let gift = wallet::gift_at(client, stage).await?;
            format!("gift {} {}", format_amount(gift.amount), gift.purpose)
        }
        ["listen", url] => format!("stream {}", listening::listen(client, url).await?.name),
        ["pool", key, deposit] => {
            called(&client.open_pool(text(key), parse_amount(deposit)?).await?)
        }
        ["earn"] => listening::earn(client).await.map(|()| text("earned"))?,
        ["promise"] => listening::promise(client).await.map(|()| text("promised"))?,
        ["room", name] => format!("around {}", room::enter(client, name).await?),
        ["propose", deposit] => {
            room::propose(client, parse_amount(deposit)?).await.map(|()| text("proposed"))?
        }
        ["accept"] => room::accept(client).await.map(|()| text("accepted"))?,
        ["pay", key, amount] => called(&room::pay(client, key, parse_amount(amount)?).await?),
        ["backup"] => format!("backup {}", keeping::backup(client).await?),
        ["take", file] => keeping::take(client, file).await.map(|()| text("taken"))?,
        ["locked"] => keeping::locked(client),
        ["find"] => keeping::find(client).await?,
        ["release"] => client.release().await.map(|()| text("released"))?,
        ["close"] => client.shut_down().await.map(|()| text("closed"))?,
        ["suspend"] => client.suspend().await.map(|()| text("suspended"))?,
        ["resume"] => client.resume().await.map(|()| text("resumed"))?,
        _ => text("unknown"),
    })
}

fn text(word: &str) -> String {
    word.to_owned()
}

fn called(call: &CallView) -> String {
    format!("call {}", call.key)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let [folder, node, chain, tracker] = [(); 4].map(|()| words.next().unwrap_or_default());
    let options =
        ConnectOptions { tracker: Some(tracker), ..ConnectOptions::new(node, chain, folder) };
    let mut wallet = Wallet::new(options);
    for line in io::stdin().lock().lines() {
        let answer = answer(&mut wallet, &line?.split(' ').collect::<Vec<_>>()).await;
        let answer = answer.unwrap_or_else(|error| format!("error {}", error.code()));
        writeln!(io::stdout(), "{answer}")?;
    }
    if let Ok(client) = wallet.client() {
        client.shut_down().await.map_err(io::Error::other)?;
    }
    Ok(())
}
