//! Every stable code of core, beside the variant that has it: what applications and other builds match on never changes.
//!
//! ```text
//! core/src/**/*.rs: impl Name { fn code(..) { Self::Variant => "family/word" } } ──► tests/vectors/codes.txt
//! ```
//!
//! A code that changes, moves to another variant or goes away fails here. A new one is added to the file.
//!
//! Whatever any crate or the npm package says has its row in `core/src/code/`, which makes the page that explains it.

use antiphon_core::code::{self, Interface, Retry};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Codes that several acts give, each for the same reason.
const SHARED: [&str; 10] = [
    "light/split",
    "member/no-such-field",
    "member/not-invited",
    "member/not-leader",
    "member/not-now",
    "member/not-open",
    "payee/no-terms",
    "pool/closed",
    "pool/insolvent",
    "pool/own-pool",
];

/// Families of what is spelled like a code and is none: media types, and entries of the npm package.
const NOT_FAMILIES: [&str; 5] = ["antiphon", "application", "audio", "text", "video"];
/// Names of rows, likewise.
const ROWS: [&str; 2] = ["light/fork", "light/trust"];

/// Returns every source file below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for path in files {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "ts") {
            found.push(path);
        }
    }
}

/// Adds what a body's arms give: all `Self::Variant` before a literal, and the literal. An error of one kind has no arms.
fn arms(owner: &str, body: &str, codes: &mut BTreeMap<String, String>) {
    if !body.contains("=>") {
        codes.insert(format!("{owner}::"), body.split('"').nth(1).unwrap().to_owned());
    }
    let mut patterns = Vec::new();
    for piece in body.split("Self::").skip(1) {
        let variant = piece.split(|c: char| !c.is_alphanumeric()).next().unwrap();
        patterns.push(format!("{owner}::{variant}"));
        let Some((_, given)) = piece.split_once("=>") else { continue };
        let text = given.trim_start().trim_start_matches(['{', '\n', ' ']);
        let literal = text.strip_prefix('"').and_then(|text| text.split('"').next());
        for pattern in patterns.drain(..) {
            if let Some(code) = literal {
                let known = codes.insert(pattern.clone(), code.to_owned());
                assert!(known.is_none_or(|known| known == code), "{pattern} twice");
            }
        }
    }
}

/// Returns `path::Name::Variant` of every arm, and its code.
fn codes() -> BTreeMap<String, String> {
    let root = Path::new(ROOT).join("../core/src");
    let (mut files, mut codes) = (Vec::new(), BTreeMap::new());
    sources(&root, &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let place = path.strip_prefix(&root).unwrap().with_extension("");
        let place = place.to_str().unwrap().replace(['/', '\\'], "::");
        // Each `fn code` stands in an `impl` of its own indentation, and ends where that indentation comes back.
        for (at, _) in text.match_indices("const fn code(") {
            let name = text[..at].rsplit("\nimpl ").next().unwrap();
            let name = name.split([' ', '<']).next().unwrap();
            let body = text[at..].split("\n    }\n").next().unwrap();
            arms(&format!("{place}::{name}"), body, &mut codes);
        }
    }
    codes
}

#[test]
fn every_code_of_core_is_what_it_was() {
    let golden = fs::read_to_string(Path::new(ROOT).join("vectors/codes.txt")).unwrap();
    let golden: BTreeSet<&str> = golden.lines().collect();
    let lines: Vec<String> =
        codes().iter().map(|(variant, code)| format!("{variant} {code}")).collect();
    let found: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
    let gone: Vec<_> = golden.difference(&found).collect();
    let new: Vec<_> = found.difference(&golden).collect();
    assert!(gone.is_empty(), "codes are for ever, and these are gone: {gone:#?}");
    assert!(new.is_empty(), "add these to tests/vectors/codes.txt: {new:#?}");
}

/// `family/some-words`; what two variants share is the same said by two acts, and never by one.
#[test]
fn codes_are_spelled_alike_and_mean_one_thing() {
    let codes = codes();
    assert!(codes.len() > 300, "only {} codes were found", codes.len());
    let mut shared = BTreeSet::new();
    let mut acts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (variant, code) in &codes {
        let (family, words) = code.split_once('/').unwrap_or_else(|| panic!("{code}"));
        for part in [family, words] {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!part.is_empty() && part.chars().all(is_plain), "{code}");
        }
        let act = variant.rsplit_once("::").unwrap().0;
        let acts = acts.entry(code).or_default();
        assert!(acts.insert(act), "{act} says {code} of two things");
        if acts.len() > 1 {
            shared.insert(code.as_str());
        }
    }
    assert_eq!(shared.into_iter().collect::<Vec<_>>(), SHARED);
}

/// Returns the code-like words that stand alone between quotes, outside of comments and tests.
fn spoken(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let is_comment = |line: &str| line.starts_with("//") || line.starts_with('*');
    let lines = text.lines().filter(move |line| !is_comment(line.trim_start()));
    lines.flat_map(|line| line.split(['"', '\''])).filter(|word| {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        word.split_once('/').is_some_and(|(family, words)| is_part(family) && is_part(words))
    })
}

#[test]
fn each_code_that_is_said_is_explained_and_each_explained_one_is_said() {
    let root = Path::new(ROOT).join("..");
    let mut files = Vec::new();
    for folder in ["core", "node-lite", "host", "mobile", "wasm", "wasm/verify", "wasm/js"]
        .map(|f| root.join(f))
    {
        sources(&folder.join("src"), &mut files);
    }
    let mut said = BTreeSet::new();
    for path in files {
        let place = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let is_copy = place.starts_with("core/src/code/") || place == "wasm/js/src/error.ts";
        if !is_copy && !place.contains("/tests") {
            let text = fs::read_to_string(&path).unwrap();
            said.extend(spoken(&text).map(str::to_owned));
        }
    }
    said.retain(|word| {
        let family = word.split('/').next().unwrap();
        !NOT_FAMILIES.contains(&family) && !ROWS.contains(&word.as_str())
    });
    let explained: BTreeSet<String> = code::all().map(|code| code.name.to_owned()).collect();
    assert!(said.len() > 400, "only {} codes were found", said.len());
    let (unexplained, unsaid): (Vec<_>, Vec<_>) =
        (said.difference(&explained).collect(), explained.difference(&said).collect());
    assert!(unexplained.is_empty(), "core/src/code/ has no row for {unexplained:#?}");
    assert!(unsaid.is_empty(), "nobody says {unsaid:#?} any more");
}

/// The facade's copy is short for its size; of what it has, it says what core says.
#[test]
fn the_page_says_of_a_code_what_core_says() {
    let page = fs::read_to_string(Path::new(ROOT).join("../wasm/js/src/error.ts")).unwrap();
    let rows = page.lines().filter_map(|line| line.trim().strip_prefix('\'')?.split_once("': "));
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 40, "the table is found");
    for (name, text) in rows {
        let text = text.trim_end_matches(',').trim_matches(['\'', '"']);
        assert_eq!(code::help(name), text, "{name}");
    }
    let list = page.split("RETRYABLE = new Set([").nth(1).unwrap().split(']').next().unwrap();
    let retryable: BTreeSet<&str> = list.split('\'').filter(|word| word.contains('/')).collect();
    let met = code::groups().filter(|group| group.met.contains(&Interface::Page));
    let later: BTreeSet<&str> = met
        .flat_map(|group| group.rows)
        .filter(|code| code.retry == Retry::Later && !code.name.starts_with("node/"))
        .map(|code| code.name)
        .collect();
    assert_eq!(retryable, later);
}
