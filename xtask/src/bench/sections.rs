//! Sections of `BENCHMARKS.md` that are measured by themselves, for they take long. They stand at its end, and stay when the
//! rest is measured anew.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::{crowd, delivery, scorecard, settle, soak, tracker};
use crate::process::root;

/// Titles of such sections, in their order.
const TITLES: [&str; 6] =
    [settle::TITLE, delivery::TITLE, soak::TITLE, tracker::TITLE, crowd::TITLE, scorecard::TITLE];

pub(super) fn path() -> PathBuf {
    root().join("BENCHMARKS.md")
}

/// Returns such sections as they stand in the document.
pub(super) fn kept() -> String {
    let document = fs::read_to_string(path()).unwrap_or_default();
    TITLES.iter().filter_map(|title| find(&document, title)).collect()
}

/// Writes one section anew, at the end of the document.
///
/// # Errors
///
/// The file cannot be written.
pub(super) fn replace(title: &str, text: &str) -> Result<()> {
    let document = fs::read_to_string(path()).unwrap_or_default();
    let old = find(&document, title).unwrap_or_default();
    let others = if old.is_empty() { document } else { document.replace(&old, "") };
    fs::write(path(), format!("{others}\n{title}\n\n{text}"))?;
    println!("wrote {}", path().display());
    Ok(())
}

/// Returns a section with its title and the empty line before, up to the next one.
fn find(document: &str, title: &str) -> Option<String> {
    let start = document.find(&format!("\n{title}\n"))?;
    let section = document.get(start..)?;
    let length = section.get(1..)?.find("\n## ").map_or(section.len(), |end| end + 1);
    section.get(..length).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_up_to_the_next_one_whether_or_not_it_is_the_last() {
        let document = "# All\n\n## First\n\na\n\n## Second\n\nb\n";
        assert_eq!(find(document, "## First").as_deref(), Some("\n## First\n\na\n"));
        assert_eq!(find(document, "## Second").as_deref(), Some("\n## Second\n\nb\n"));
        assert_eq!(find(document, "## Third"), None);
    }
}
