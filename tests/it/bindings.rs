//! `src/plugin/pb` is what `proto/` generates.
//!
//! `UPDATE=1 cargo test --test it bindings` writes it anew.

use std::{env, fs, path::Path};

const PROTOS: [&str; 2] = ["tfplugin6.proto", "plugin.proto"];
const OUTPUTS: [&str; 2] = ["tfplugin6.rs", "plugin.rs"];

#[test]
fn the_bindings_in_the_tree_are_what_proto_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().unwrap();
    generate(&root.join("proto"), fresh.path());

    for name in OUTPUTS {
        let kept = root.join("src/plugin/pb").join(name);
        let generated = fs::read_to_string(fresh.path().join(name)).unwrap();
        assert!(generated.contains("@generated"), "{name} is not marked as generated");
        if env::var_os("UPDATE").is_some() {
            fs::write(&kept, &generated).unwrap();
        }
        // Not assert_eq: a difference would print thousands of lines and hide the command.
        assert!(
            fs::read_to_string(&kept).unwrap_or_default() == generated,
            "src/plugin/pb/{name} is out of date; run: UPDATE=1 cargo test --test it bindings"
        );
    }
}

/// Compiles with protox, which is written in Rust, so that no `protoc` is needed.
///
/// RPCs that the provider does not implement get a default body that answers UNIMPLEMENTED.
fn generate(protos: &Path, out: &Path) {
    let descriptors = protox::compile(PROTOS, [protos]).expect("proto/ compiles");
    tonic_prost_build::configure()
        .generate_default_stubs(true)
        .out_dir(out)
        .compile_fds(descriptors)
        .expect("the descriptors generate Rust");
}
