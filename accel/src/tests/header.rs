//! Our declarations against the header of the ggml that is built.

use std::{fs, path::PathBuf, process::Command};

use crate::abi::{API_VERSION, Registration, TABLES};

/// `ggml-backend-impl.h`, wherever cargo keeps the source of whisper-rs-sys.
fn header() -> String {
    let version = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // What other platforms need was not downloaded for the build.
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "whisper-rs-sys").unwrap();
    let folder = PathBuf::from(package["manifest_path"].as_str().unwrap());
    fs::read_to_string(folder.with_file_name("whisper.cpp/ggml/src/ggml-backend-impl.h")).unwrap()
}

/// The names of a struct's fields, in order: `(*name)` of a function, and otherwise the last word before a semicolon.
fn fields<'a>(header: &'a str, table: &str) -> Vec<&'a str> {
    let (_, rest) = header.split_once(&format!("struct {table} {{")).unwrap();
    let (body, _) = rest.split_once("};").unwrap();
    let name = |line: &'a str| {
        let declared = line.split("//").next().unwrap().trim();
        let declared = declared.split_once(';')?.0;
        match declared.split_once("(*") {
            Some((_, function)) => function.split(')').next(),
            None => declared.split_whitespace().last(),
        }
    };
    body.lines().filter_map(name).collect()
}

#[test]
fn the_structs_are_those_of_the_header() {
    let header = header();
    assert!(header.contains(&format!("#define GGML_BACKEND_API_VERSION {API_VERSION}\n")));
    assert_eq!(TABLES.len(), 6);
    for (table, ours) in TABLES {
        assert_eq!(fields(&header, table), *ours, "{table}");
    }
}

#[test]
fn every_field_is_one_pointer_long() {
    use crate::abi::{Backend, BackendTable, Device, DeviceTable, RegistrationTable};
    let sizes = [
        size_of::<BackendTable>(),
        size_of::<Backend>() - size_of::<BackendTable>() + size_of::<usize>(),
        size_of::<DeviceTable>(),
        size_of::<Device>() - size_of::<DeviceTable>() + size_of::<usize>(),
        size_of::<RegistrationTable>(),
        size_of::<Registration>() - size_of::<RegistrationTable>() + size_of::<usize>(),
    ];
    for ((table, fields), size) in TABLES.iter().zip(sizes) {
        assert_eq!(size, fields.len() * size_of::<usize>(), "{table}");
    }
}
