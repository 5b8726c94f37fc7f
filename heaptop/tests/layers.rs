// SPDX-License-Identifier: GPL-2.0-only

//! What a file uses is below it: the graph of files has no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Directories and files of the crate, each of which may use what is before it.
const LAYERS: [&str; 8] = [
    "model", "error", "source", "output", "ui", "run", "cli", "lib",
];

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// `source/trace/mod.rs` is `source::trace`.
fn module(file: &Path) -> String {
    let file = file.with_extension("");
    let parts: Vec<_> = file.iter().map(|part| part.to_str().unwrap()).collect();
    parts.join("::").trim_end_matches("::mod").to_string()
}

/// The modules of the crate, and which others each uses outside of its tests.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let texts: BTreeMap<_, _> = files(&src)
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (module(path.strip_prefix(&src).unwrap()), text)
        })
        .collect();
    let used = |text: &str| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let paths = code.split("crate::").skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            &rest[..end.unwrap_or(rest.len())]
        });
        paths.filter_map(|path| longest(&texts, path)).collect()
    };
    texts
        .iter()
        .map(|(name, text)| (name.clone(), used(text)))
        .collect()
}

/// The module that a path begins with.
fn longest(modules: &BTreeMap<String, String>, path: &str) -> Option<String> {
    let is_of = |name: &&String| path == *name || path.starts_with(&format!("{name}::"));
    modules
        .keys()
        .filter(is_of)
        .max_by_key(|name| name.len())
        .cloned()
}

#[test]
fn no_circle() {
    let mut uses = uses();
    assert!(
        uses["ui::live::keys"].contains("ui::live::view"),
        "{uses:?}"
    );
    while !uses.is_empty() {
        let left: BTreeSet<_> = uses.keys().cloned().collect();
        uses.retain(|name, used| {
            used.iter()
                .any(|other| other != name && left.contains(other))
        });
        assert!(
            uses.len() < left.len(),
            "among these there is a circle: {uses:?}"
        );
    }
}

#[test]
fn layers() {
    let layer = |module: &str| {
        let first = module.split("::").next().unwrap();
        LAYERS.iter().position(|layer| *layer == first)
    };
    for (name, used) in uses() {
        for other in used {
            // The names of the main file have no layer: it is a user like others.
            if let (Some(at), Some(below)) = (layer(&name), layer(&other)) {
                assert!(below <= at, "{name} uses {other}, which is above it");
            }
        }
    }
}
