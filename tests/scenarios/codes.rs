//! Every stable code of core, beside the variant that has it: what applications and other builds match on never changes.
//!
//! ```text
//! core/src/**/*.rs: impl Name { fn code(..) { Self::Variant => "family/word" } } ──► tests/vectors/codes.txt
//! ```
//!
//! A code that changes, moves to another variant or goes away fails here. A new one is added to the file.

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

/// Returns every source file of core.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for path in files {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
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
