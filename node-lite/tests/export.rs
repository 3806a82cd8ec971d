//! `antiphon light export`: a folder is all that a light client needs, of a running node and of a stopped one's store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test may panic"
)]

use antiphon_core::{
    chain::{
        Level,
        light::{Anchor, Config, File, Head, Input, Light, Output, Skipping, Stored},
    },
    crypto::Hash,
    id::ChainId,
    time::{Moment, UnixMillis},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What a client without a cache reads until its first final head. Source: R3, a snapshot below 8 kB.
const MAX_FIRST_HEAD: usize = 8_000;

#[test]
fn a_folder_is_all_that_a_light_client_needs() {
    let data = tempfile::tempdir().unwrap();
    let (live, cold) = (data.path().join("live"), data.path().join("cold"));
    let mut chain = Chain::start(&data.path().join("chain"));
    let began = Instant::now();
    // A node that runs, until two checkpoints are final.
    loop {
        let done = export(&live, &["--node", &chain.base, "--chain", &chain.id]).unwrap();
        if done["final"].as_u64().unwrap() >= 20 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing becomes final: {done}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let again = export(&live, &["--node", &chain.base, "--chain", &chain.id]).unwrap();
    assert!(again["files"].as_u64().unwrap() < 30, "what is there is not copied again: {again}");
    let (head, bytes) = chain.follow(&live);
    assert!(head.level == Level::Final && head.header.height.0 >= 20);
    assert!(bytes < MAX_FIRST_HEAD, "the first head costs {bytes} bytes compressed");
    // The store of a node that does not run: the same names hold the same bytes.
    chain.stop();
    let (store, spec) = (data.path().join("chain/node-0"), data.path().join("chain/spec.borsh"));
    let from = ["--data", store.to_str().unwrap(), "--chain-file", spec.to_str().unwrap()];
    export(&cold, &from).unwrap();
    let (resting, _) = chain.follow(&cold);
    assert!(resting.header.height >= head.header.height);
    let (mut alike, mut whole, mut short) = (0, 0, 0);
    for path in files(&live) {
        let name = path.strip_prefix(&live).unwrap();
        let bytes = fs::read(&path).unwrap();
        if name.ends_with("tip") || name.ends_with("news") {
            continue;
        }
        if let Ok(other) = fs::read(cold.join(name)) {
            assert_eq!(bytes, other, "{}", name.display());
            alike += 1;
        }
        let plain = path.with_extension("");
        match path.extension().and_then(|end| end.to_str()) {
            Some("br") => {
                let mut inflated = Vec::new();
                brotli::Decompressor::new(&bytes[..], 4096).read_to_end(&mut inflated).unwrap();
                assert_eq!(inflated, fs::read(&plain).unwrap());
                if name.starts_with("light/span") {
                    whole += inflated.len();
                    short += bytes.len();
                }
            }
            Some("gz") => {
                let mut inflated = Vec::new();
                flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut inflated).unwrap();
                assert_eq!(inflated, fs::read(&plain).unwrap());
                assert!(bytes.len() < inflated.len(), "longer than the file itself");
            }
            _ => {}
        }
    }
    assert!(alike > 20, "{alike} files are in both");
    // Headers in a row name the same sets; their signatures do not shrink.
    assert!(whole > 0 && short * 100 < whole * 60, "spans of {whole} bytes took {short}");
}

#[test]
fn what_cannot_be_exported_is_said() {
    let data = tempfile::tempdir().unwrap();
    let to = data.path().join("out");
    let chain = Chain::start(&data.path().join("chain"));
    let refused = |words: &[&str]| export(&to, words).unwrap_err();
    let (store, spec) = (data.path().join("chain/node-0"), data.path().join("chain/spec.borsh"));
    let (store, spec) = (store.to_str().unwrap(), spec.to_str().unwrap());
    let (code, said) = refused(&["--data", store, "--chain-file", spec]);
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("--node"), "says how a running node is exported: {said}");
    assert_eq!(refused(&["--data", "/nowhere", "--chain-file", spec]).0, 1);
    assert_eq!(refused(&[]).0, 1);
    assert_eq!(refused(&["--node", &chain.base]).0, 1, "a chain is pinned, not asked for");
    let (_, said) = refused(&["--node", &chain.base, "--chain", &"07".repeat(32)]);
    assert!(said.contains("no such chain"), "{said}");
    assert!(!to.join("light/tip").exists(), "nothing half done is left behind");
}

/// Runs an export; its line, or exit code and complaint.
fn export(to: &Path, words: &[&str]) -> Result<Value, (i32, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    let done = command.args(["light", "export"]).arg(to).args(words).output().unwrap();
    if done.status.success() {
        return Ok(serde_json::from_slice(&done.stdout).unwrap());
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Err((done.status.code().unwrap_or(-1), said))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// A development chain in a process of its own.
struct Chain {
    child: Child,
    base: String,
    id: String,
}

impl Chain {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(["dev", "--block-time", "100ms", "--stake", "--data"]).arg(data);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("antiphon starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |field: &str| ready[field].as_str().unwrap().to_owned();
        Self { child, base: text("base"), id: text("chain") }
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Follows the chain from a folder alone: the newest final head, and the bytes that a server would send for it.
    fn follow(&self, folder: &Path) -> (Head, usize) {
        let chain = ChainId(Hash::from_hex(&self.id).unwrap());
        let config =
            Config { chain, anchor: Anchor::Genesis, skipping: Skipping::Off, witnesses: 0 };
        let (mut light, mut bytes) = (Light::new(config), 0);
        let mut inputs = vec![Input::Loaded(Stored::default())];
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let wall = UnixMillis(u64::try_from(wall).unwrap());
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            light.handle(Moment::ZERO, wall, input, &mut out);
            for output in out {
                match output {
                    Output::Fetch(source, file) => {
                        let path = folder.join(file.path().trim_start_matches('/'));
                        inputs.push(match fs::read(&path) {
                            Ok(body) => {
                                // Headers above the checkpoint are no part of a final head.
                                let is_needed = !matches!(file, File::Header(_));
                                let short = fs::metadata(format!("{}.br", path.display()));
                                let sent = short.map_or(body.len() as u64, |about| about.len());
                                bytes += if is_needed { usize::try_from(sent).unwrap() } else { 0 };
                                Input::Fetched(source, file, body)
                            }
                            Err(_) => Input::Missing(source, file),
                        });
                    }
                    Output::Refused(error) => panic!("what was exported is refused: {error}"),
                    Output::Keep(_) | Output::KeepFork(_) | Output::Advanced | Output::Alarm => {}
                }
            }
        }
        (light.head(Level::Final).expect("a final head"), bytes)
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.stop();
    }
}
