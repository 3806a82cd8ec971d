//! `antiphon light export DIR`: light data as plain files that any HTTP server can serve.
//!
//! ```text
//! DIR/light/tip, DIR/light/news       the two files that change: no-cache
//! DIR/light/KIND/NAME                 never changes: max-age=31536000, immutable
//! DIR/light/KIND/NAME.br, NAME.gz     the same, compressed, where that is shorter
//! ```
//!
//! Every file is written beside its name, synced and renamed, and the tip comes last: whoever reads meanwhile finds what the
//! tip names.

use super::super::{chain_file, dev::interrupted, http, store::Store};
use crate::{
    light::{
        export::{Exported, Mirror, export},
        find,
    },
    storage::{Storage as _, StorageError},
};
use antiphon_core::{
    chain::{
        certificate::Certificate,
        light::{File, MAX_TIP_BLOCKS, News, Tip},
        spec::{ChainSpec, MAX_SPEC},
    },
    codec::{self, Bounded},
    crypto::Hash,
    id::{BlockId, ChainId, Height},
};
use antiphon_host::remote::RemoteNode;
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::json;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::runtime::Handle;

/// Slowest and smallest brotli: a file is compressed once and sent for years.
const BROTLI: (u32, u32) = (11, 22);

/// What is exported, and to where.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Folder that the files are written to, below `light/`.
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
    /// Base URL of a running node, such as `http://127.0.0.1:4601`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "chain_file"])]
    pub node: Option<String>,
    /// The chain's id, 64 hexadecimal digits; with --node.
    #[arg(long, value_name = "ID", requires = "node")]
    pub chain: Option<String>,
    /// Data folder of a node that does not run.
    #[arg(long, value_name = "DIR", requires = "chain_file")]
    pub data: Option<PathBuf>,
    /// Its chain file: `chain.toml`, or the `spec.borsh` of a development chain.
    #[arg(long, value_name = "FILE", requires = "data")]
    pub chain_file: Option<PathBuf>,
    /// Newest checkpoints that are exported with their blocks. Light clients need the newest alone; an explorer walks 64.
    #[arg(long, default_value_t = 64)]
    pub history: u64,
    /// Exports again after so long, such as `1s`, until interrupted; only with --node.
    #[arg(long, value_name = "TIME", value_parser = super::super::dev::parse_duration, requires = "node")]
    pub every: Option<Duration>,
}

/// Exports once, or again and again until interrupted.
///
/// # Errors
/// A source that cannot be read, a folder that cannot be written. In words for a person.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let (source, chain) = Source::open(&options)?;
    let mut folder = Folder { root: options.to.clone(), source };
    let stop = interrupted()?;
    tokio::pin!(stop);
    let mut is_first = true;
    loop {
        let history = options.history;
        let (back, done) = tokio::task::spawn_blocking(move || {
            let done = export(&mut folder, chain, history);
            (folder, done)
        })
        .await?;
        folder = back;
        let exported = match (done, options.every) {
            (Ok(Some(exported)), _) => exported,
            (Ok(None), None) => bail!("the source has no such chain"),
            (Err(error), None) => return Err(error),
            // A node that restarts is no reason to stop.
            (Ok(None), Some(_)) => Exported::default(),
            (Err(error), Some(_)) => {
                tracing::warn!(error = format!("{error:#}"), "export");
                Exported::default()
            }
        };
        if std::mem::take(&mut is_first) {
            let Exported { fresh, finalised } = exported;
            let to = options.to.display().to_string();
            http::ready(
                &json!({ "ready": "light", "to": to, "files": fresh, "final": finalised.0 }),
            );
        }
        let Some(every) = options.every else { return Ok(()) };
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            asked = &mut stop => return asked,
        }
    }
}

/// From where files come.
enum Source {
    Node { node: Box<RemoteNode>, runtime: Handle },
    Disk { store: Store, spec: Box<ChainSpec> },
}

impl Source {
    fn open(options: &Options) -> anyhow::Result<(Self, ChainId)> {
        if let Some(node) = &options.node {
            let chain = options.chain.as_deref().context("--chain is needed with --node")?;
            let chain = Hash::from_hex(chain).context("--chain is not 64 hexadecimal digits")?;
            let node = Box::new(RemoteNode::new(node)?);
            return Ok((Self::Node { node, runtime: Handle::current() }, ChainId(chain)));
        }
        let (Some(data), Some(file)) = (&options.data, &options.chain_file) else {
            bail!("give --node with --chain, or --data with --chain-file");
        };
        let spec = if file.extension().is_some_and(|end| end == "borsh") {
            let bytes = fs::read(file).with_context(|| file.display().to_string())?;
            codec::decode(&bytes, MAX_SPEC)
                .with_context(|| format!("{} is not a chain spec", file.display()))?
        } else {
            chain_file::read(file)?
        };
        ensure!(data.is_dir(), "{} is not there", data.display());
        let store = Store::open(data, &spec).with_context(|| {
            format!("{}; a running node is exported with --node", data.display())
        })?;
        let chain = spec.chain_id();
        Ok((Self::Disk { store, spec: Box::new(spec) }, chain))
    }

    fn read(&self, file: &File) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::Disk { store, .. } if *file == File::News => {
                Ok(Some(codec::encode(&news(store)?)))
            }
            Self::Disk { store, spec } => Ok(find(store, spec, file)?),
            Self::Node { node, runtime } => runtime.block_on(node.file(file)),
        }
    }
}

/// Returns the news of a node that does not run: what is settled on its disk.
fn news(store: &Store) -> Result<News, StorageError> {
    let (head, finalised) = (store.head()?, store.newest_certificate()?);
    let final_height = finalised.as_ref().map_or(Height(0), |held| held.height);
    let top = head.block.height();
    let (mut chain, mut headers) = (Vec::<BlockId>::new(), Vec::new());
    for height in (final_height.0..top.0).map(|below| below.saturating_add(1)) {
        if chain.len() == MAX_TIP_BLOCKS {
            break;
        }
        let Some(settled) = store.settled(Height(height))? else { break };
        chain.push(settled.id);
        headers.push(settled.block.signed.header);
    }
    let is_named = chain.last() == Some(&head.certificate.block);
    let tip = Tip {
        final_height,
        final_block: finalised.map(|held| held.block).unwrap_or_default(),
        chain: Bounded::try_from(chain).unwrap_or_default(),
        certificate: if is_named { head.certificate } else { Certificate::genesis() },
    };
    Ok(News::new(tip, headers.into_iter()))
}

/// The folder that is written.
struct Folder {
    root: PathBuf,
    source: Source,
}

impl Folder {
    fn path(&self, file: &File) -> PathBuf {
        self.root.join(file.path().trim_start_matches('/'))
    }
}

impl Mirror for Folder {
    type Error = anyhow::Error;

    fn read(&mut self, file: &File) -> Result<Option<Vec<u8>>, anyhow::Error> {
        if file.is_immutable()
            && let Ok(bytes) = fs::read(self.path(file))
        {
            return Ok(Some(bytes));
        }
        self.source.read(file)
    }

    fn has(&self, file: &File) -> bool {
        file.is_immutable() && self.path(file).exists()
    }

    fn keep(&mut self, file: &File, bytes: &[u8]) -> Result<(), anyhow::Error> {
        let path = self.path(file);
        if file.is_immutable() {
            // The compressed ones first: where the file is, they are.
            for (end, short) in [("br", brotli(bytes)), ("gz", gzip(bytes)?)] {
                if short.len() < bytes.len() {
                    write(&beside(&path, end), &short)?;
                }
            }
        }
        write(&path, bytes)
    }
}

/// Returns the path with another ending after its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let (quality, window) = BROTLI;
    let mut short = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut short, 4096, quality, window);
    // A list of bytes takes everything.
    let _ = writer.write_all(bytes);
    drop(writer);
    short
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// Writes beside, syncs and renames: whoever reads finds the whole file or none.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let about = || path.display().to_string();
    let folder = path.parent().with_context(about)?;
    fs::create_dir_all(folder).with_context(about)?;
    let fresh = beside(path, "new");
    let mut file = fs::File::create(&fresh).with_context(about)?;
    file.write_all(bytes).with_context(about)?;
    file.sync_all().with_context(about)?;
    fs::rename(&fresh, path).with_context(about)
}
