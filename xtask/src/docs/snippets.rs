//! Snippets that are lines of programs: below `<!-- from FILE | FIRST | LAST -->` stands what FILE has from the first line
//! that holds FIRST to the next that holds LAST, moved to the left. `^` before either: the line begins so.

use anyhow::{Context as _, Result, bail};
use std::fs;

use super::Guide;
use crate::process::root;

/// What a reader would run: in the guides, a block of these must be from a program.
const LANGUAGES: [&str; 8] = ["html", "js", "jsx", "kotlin", "python", "rust", "swift", "ts"];

/// Fewest snippets: if fewer are found, the marks have changed and nothing is checked.
const FEWEST: usize = 10;

/// Fills every block with what its program says now.
///
/// # Errors
///
/// A mark leads nowhere, or a file cannot be written.
pub(super) fn write(guides: &[Guide]) -> Result<()> {
    for guide in guides {
        let (text, _) = fill(guide)?;
        if text != guide.text {
            println!("    {}", guide.name);
            fs::write(&guide.path, text)?;
        }
    }
    Ok(())
}

/// Demands that every block says what its program says.
///
/// # Errors
///
/// One does not.
pub(super) fn compare(guides: &[Guide]) -> Result<()> {
    let mut count = 0;
    for guide in guides {
        let (text, snippets) = fill(guide)?;
        count += snippets;
        let unlike = text.lines().zip(guide.text.lines()).find(|(new, old)| new != old);
        if text != guide.text {
            let (new, old) = unlike.unwrap_or_default();
            bail!(
                "{} shows `{old}` where the program has `{new}`: cargo xtask docs guides --write",
                guide.name
            );
        }
    }
    if count < FEWEST {
        bail!("only {count} snippets were found in the guides");
    }
    println!("    {count} snippets are those of programs");
    Ok(())
}

/// Returns a guide with its snippets as they should be, and how many there are.
fn fill(guide: &Guide) -> Result<(String, usize)> {
    let (mut text, mut count) = (String::new(), 0);
    // The READMEs of packages show what a reader would write around their calls.
    let is_strict = guide.name.starts_with("docs/") || guide.name == "README.md";
    let mut lines = guide.text.lines();
    while let Some(line) = lines.next() {
        text.extend([line, "\n"]);
        let language = line.strip_prefix("```").unwrap_or_default();
        if is_strict && LANGUAGES.contains(&language) {
            bail!("{} has a block of {language} that is from no program", guide.name);
        }
        let Some(mark) = line.strip_prefix("<!-- from ").and_then(|mark| mark.strip_suffix(" -->"))
        else {
            continue;
        };
        let fence = lines.next().filter(|fence| fence.starts_with("```"));
        let fence = fence.with_context(|| format!("{}: no block below {mark}", guide.name))?;
        let snippet = lines_of(mark).with_context(|| format!("{}: {mark}", guide.name))?;
        text.extend([fence, "\n", snippet.as_str(), "```\n"]);
        if !lines.by_ref().any(|line| line == "```") {
            bail!("{}: the block below {mark} does not end", guide.name);
        }
        count += 1;
    }
    Ok((text, count))
}

fn lines_of(mark: &str) -> Result<String> {
    let [file, first, last] = mark.split(" | ").collect::<Vec<_>>()[..] else {
        bail!("a mark is FILE | FIRST | LAST");
    };
    let source = fs::read_to_string(root().join(file)).with_context(|| file.to_owned())?;
    let is_like = |line: &str, wanted: &str| match wanted.strip_prefix('^') {
        Some(beginning) => line.starts_with(beginning),
        None => line.contains(wanted),
    };
    let lines: Vec<&str> = source.lines().collect();
    let from = lines.iter().position(|line| is_like(line, first)).context("no first line")?;
    let after = lines.get(from..).unwrap_or_default();
    let length = after.iter().position(|line| is_like(line, last)).context("no last line")?;
    let chosen = after.get(..=length).unwrap_or_default();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let left = chosen.iter().filter(|line| !line.trim().is_empty()).map(indent).min();
    let moved = |line: &&str| format!("{}\n", line.get(left.unwrap_or(0)..).unwrap_or_default());
    Ok(chosen.iter().map(moved).collect())
}
