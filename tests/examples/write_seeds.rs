//! Writes the seeds of every fuzz target into its corpus: `cargo run -p antiphon-tests --example write_seeds`.

#[cfg(not(target_family = "wasm"))]
use std::{fs, io, path::Path};

#[cfg(not(target_family = "wasm"))]
fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for target in antiphon_tests::fuzz::TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for (name, seed) in (target.seeds)() {
            fs::write(folder.join(name), seed)?;
        }
    }
    Ok(())
}

#[cfg(target_family = "wasm")]
fn main() {}
