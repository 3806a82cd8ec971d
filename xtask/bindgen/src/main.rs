//! Writes the JavaScript glue of a wasm module: `antiphon-bindgen TARGET INPUT.wasm OUT_DIR NAME`.
//!
//! A package of its own, because it compiles for half a minute and most commands of xtask do not
//! need it. `TARGET` is `web`, `nodejs` or `no-modules`, as in the `wasm-bindgen` program.

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().with_context(|| format!("missing {what}"));
    let target = next("target")?;
    let input = next("input")?;
    let out_dir = next("output folder")?;
    let name = next("name")?;

    let mut bindgen = Bindgen::new();
    match target.as_str() {
        "web" => bindgen.web(true)?,
        "nodejs" => bindgen.nodejs(true)?,
        "no-modules" => bindgen.no_modules(true)?,
        other => bail!("unknown target `{other}`: expected web, nodejs or no-modules"),
    };
    bindgen
        .input_path(&input)
        .out_name(&name)
        .typescript(true)
        // What makes the module smaller puts its functions in the order of their names, then takes them off.
        .remove_name_section(false)
        .remove_producers_section(true)
        .generate(&out_dir)
        .with_context(|| format!("wasm-bindgen could not process {input}"))
}
