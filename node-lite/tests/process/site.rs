use crate::host::{Process, exchange, get, refusal};
use std::fs;

#[test]
fn the_site_is_served_under_its_policy_with_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("index.html"), "<!doctype html>").unwrap();
    fs::write(root.join("core.wasm"), b"\0asm").unwrap();
    fs::write(root.join("core.wasm.br"), b"short").unwrap();
    let config = folder.path().join("config.json");
    fs::write(&config, r#"{"stream":"x"}"#).unwrap();
    let arguments =
        ["site", "--root", root.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let process = Process::start(&arguments);
    let address = process.address();
    let page = get(address, "/", "");
    assert_eq!((page.status, page.text()), (200, "<!doctype html>"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"));
    assert!(!policy.contains("unsafe-inline") && !policy.contains("  "), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let wasm = get(address, "/core.wasm", "");
    assert_eq!((wasm.header("content-type"), wasm.body.len()), ("application/wasm", 4));
    let small = get(address, "/core.wasm", "Accept-Encoding: gzip, br\r\n");
    assert_eq!((small.header("content-encoding"), small.text()), ("br", "short"));
    assert_eq!(small.header("content-type"), "application/wasm");
    assert_eq!(get(address, "/config.json", "").text(), r#"{"stream":"x"}"#);
    fs::write(&config, r#"{"stream":"#).unwrap();
    assert_eq!(get(address, "/config.json", "").status, 500);
    assert_eq!(get(address, "/../config.json", "").status, 404);
    assert_eq!(get(address, "/%2e%2e/config.json", "").status, 404);
    let post = exchange(address, "POST / HTTP/1.1\r\nHost: x\r\n", b"");
    assert_eq!(post.status, 405);
}

#[test]
fn a_witness_of_the_command_line_is_told_to_the_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    let config = folder.path().join("config.json");
    fs::write(&config, r#"{"node":"http://a.example","witness":"http://b.example"}"#).unwrap();
    let (root, config) = (folder.path().to_str().unwrap(), config.to_str().unwrap());
    let site = ["site", "--root", root, "--config", config];
    let process = Process::start(&[&site[..], &["--witness", "https://c.example"]].concat());
    let told: serde_json::Value =
        serde_json::from_str(get(process.address(), "/config.json", "").text()).unwrap();
    assert_eq!(told["witness"], "https://c.example");
    assert_eq!(told["node"], "http://a.example");
    let refused = refusal(&[&site[..], &["--witness", "c.example"]].concat());
    assert!(refused.contains("a URL that begins with"), "{refused}");
}

#[test]
fn a_site_that_was_not_built_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    assert!(refusal(&["site", "--root", root, "--config", root]).contains("is the site built?"));
}
