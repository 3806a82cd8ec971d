//! Prints the verdicts on the files of public vectors that it is given, as runners in other languages do.

#![allow(clippy::print_stdout, reason = "a program for a terminal")]

use antiphon_tests::vector;
use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in env::args().skip(1) {
        let name = Path::new(&path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        println!("# {name}");
        print!("{}", vector::run(name, &fs::read_to_string(&path)?).ok_or("not such a file")?);
    }
    Ok(())
}
