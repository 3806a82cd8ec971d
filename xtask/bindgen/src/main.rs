//! Writes the JavaScript glue of a wasm module: `antiphon-bindgen TARGET INPUT.wasm OUT_DIR NAME`.
//!
//! A package of its own, because it compiles for half a minute and most commands of xtask do not
//! need it. `TARGET` is `web`, `nodejs` or `no-modules`, as in the `wasm-bindgen` program.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use walrus::Module;
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
        .with_context(|| format!("wasm-bindgen could not process {input}"))?;
    if target == "web" { shorten(Path::new(&out_dir), &name) } else { Ok(()) }
}

/// Gives what a page's module imports short names, in the glue, too: their own end in hashes, which gzip makes no smaller.
fn shorten(folder: &Path, name: &str) -> Result<()> {
    let (wasm, glue) = (folder.join(format!("{name}_bg.wasm")), folder.join(format!("{name}.js")));
    let mut module = Module::from_file(&wasm)?;
    let mut script = fs::read_to_string(&glue)?;
    for (at, import) in module.imports.iter_mut().enumerate() {
        let short = format!("i{at}");
        let key = |name: &str| format!("        {name}: ");
        ensure!(
            script.matches(&key(&import.name)).count() == 1,
            "`{}` is not once in the glue",
            import.name
        );
        script = script.replace(&key(&import.name), &key(&short));
        import.name = short;
    }
    module.emit_wasm_file(&wasm)?;
    Ok(fs::write(&glue, script)?)
}
