//! Commands that texts name: every subcommand and flag of `antiphon` and `cargo xtask` exists, by their own `--help`.

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Guide;
use crate::artifact;

/// Fewest commands: if fewer are found, nothing is checked.
const FEWEST: usize = 40;

/// Demands that each command exists.
///
/// # Errors
///
/// One does not, or the node does not build.
pub(super) fn check(guides: &[Guide]) -> Result<()> {
    let xtask = std::env::current_exe()?;
    let programs = [("antiphon", artifact::node()?), ("cargo xtask", xtask)];
    let mut helps = Helps::default();
    let (mut count, mut wrong) = (0, Vec::new());
    for guide in guides {
        for command in commands(&guide.text) {
            for (name, program) in &programs {
                let Some(words) = command.strip_prefix(name) else { continue };
                let Some(words) = words.strip_prefix(' ') else { continue };
                count += 1;
                if let Err(error) = helps.find(program, words) {
                    wrong.push(format!("{}: `{command}`: {error:#}", guide.name));
                }
            }
        }
    }
    if !wrong.is_empty() {
        bail!("commands that are none:\n{}", wrong.join("\n"));
    }
    if count < FEWEST {
        bail!("only {count} commands were found");
    }
    println!("    {count} commands are there with their flags");
    Ok(())
}

/// Returns the lines of shell blocks, continued ones joined and comments left out, and what stands in backquotes elsewhere.
fn commands(text: &str) -> Vec<String> {
    let (mut found, mut block, mut continued) = (Vec::new(), None, String::new());
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language == "sh") };
        } else if block == Some(true) {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if let Some(begun) = line.strip_suffix('\\') {
                continued.push_str(begun);
            } else {
                continued.push_str(line);
                found.push(std::mem::take(&mut continued));
            }
        } else if block.is_none() {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// What programs say of themselves, each asked once.
#[derive(Default)]
struct Helps {
    told: BTreeMap<(PathBuf, Vec<String>), String>,
}

impl Helps {
    /// Follows the subcommands, then looks for each flag.
    fn find(&mut self, program: &Path, words: &str) -> Result<()> {
        let (mut path, mut is_path) = (Vec::new(), true);
        for word in words.split_whitespace() {
            let help = self.help(program, &path)?;
            if let Some(flag) = word.strip_prefix("--") {
                is_path = false;
                let flag = flag.split('=').next().unwrap_or_default();
                let is_known = |line: &str| {
                    let mut words = line.split([' ', ',', '=', '[', ']', '<', '>']);
                    words.any(|word| word.strip_prefix("--") == Some(flag))
                };
                if flag != "help" && !help.lines().any(is_known) {
                    bail!("no flag --{flag}");
                }
            } else if is_path && word.starts_with(|c: char| c.is_ascii_lowercase()) {
                let list = help.split("Commands:\n").nth(1).unwrap_or_default();
                let list = list.split("\n\n").next().unwrap_or_default();
                if list.lines().any(|line| line.split_whitespace().next() == Some(word)) {
                    path.push(word.to_owned());
                } else if path.is_empty() {
                    bail!("no command {word}");
                } else {
                    is_path = false;
                }
            } else {
                is_path = false;
            }
        }
        Ok(())
    }

    fn help(&mut self, program: &Path, path: &[String]) -> Result<String> {
        let key = (program.to_owned(), path.to_owned());
        if let Some(told) = self.told.get(&key) {
            return Ok(told.clone());
        }
        let output = Command::new(program).args(path).arg("--help").output();
        let output = output.with_context(|| program.display().to_string())?;
        if !output.status.success() {
            bail!("{} {} --help failed", program.display(), path.join(" "));
        }
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        self.told.insert(key, told.clone());
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences() {
        let text = "Say `antiphon run --a` or\n```sh\nantiphon init \\\n  --b x   # why --c\n```\n```js\nantiphon no\n```\n";
        assert_eq!(commands(text), ["antiphon run --a", "antiphon init --b x"]);
    }
}
