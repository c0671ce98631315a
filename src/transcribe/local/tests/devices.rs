//! Words, and what they stand for.

use super::{super::devices::*, *};
use crate::transcribe::protocol;

fn config(devices: &[&str]) -> EngineConfig {
    EngineConfig { devices: devices.iter().map(|&word| word.to_owned()).collect(), ..EngineConfig::default() }
}

fn listed(names: &[&str]) -> Result<Vec<protocol::Device>, String> {
    let gpu = |name: &&str| protocol::Device {
        name: (*name).to_owned(),
        description: "a GPU".to_owned(),
        memory_total: 1_000,
        memory_free: 900,
    };
    Ok(names.iter().map(gpu).collect())
}

/// The devices in one line: `!` cannot be used, `?` only when needed.
fn told(devices: &[&str], listed: &Result<Vec<protocol::Device>, String>) -> String {
    let config = config(devices);
    let mark = |device: &Device| {
        let mark = if device.problem.is_some() {
            "!"
        } else if device.fallback {
            "?"
        } else {
            ""
        };
        format!("{}{mark}", device.name)
    };
    resolve(&words(&config).unwrap(), listed, &config).iter().map(mark).collect::<Vec<_>>().join(" ")
}

#[test]
fn words_become_devices() {
    let two = listed(&["cuda:0", "vulkan:0"]);
    let none = listed(&[]);
    assert_eq!(told(&["auto"], &two), "cuda:0 vulkan:0 cpu?");
    assert_eq!(told(&["auto"], &none), "cpu");
    assert_eq!(told(&["auto"], &Err("it crashed".to_owned())), "cpu auto!");
    assert_eq!(told(&["cuda:0", "cpu"], &two), "cuda:0 cpu");
    assert_eq!(told(&["cpu", "auto", "cuda:0", "cpu"], &two), "cpu cuda:0 vulkan:0");
    assert_eq!(told(&["cuda:1"], &two), "cuda:1! cpu?");
    assert_eq!(told(&["metal", "hip:0"], &Err("it crashed".to_owned())), "metal! hip:0! cpu?");
    assert_eq!(told(&[], &none), "");
    let config = EngineConfig { cpu_fallback: false, ..config(&["cuda:0"]) };
    let devices = resolve(&words(&config).unwrap(), &two, &config);
    assert_eq!((devices.len(), devices[0].budget, devices[0].total), (1, 900, 1_000));
}

#[test]
fn other_words_are_refused() {
    for word in ["gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:01", "cuda:+1", "CUDA:0", "npu:0", "", "cpu:0"] {
        let error = Local::new(&config(&["cpu", word]), "trawl".into()).map(drop).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::Config, Some("engine.devices")), "{word}");
        assert!(error.hint.contains("cuda:0"), "{}", error.hint);
    }
    assert!(words(&config(&["cuda:10", "vulkan:0", "hip:3", "metal"])).is_ok());
}

#[tokio::test]
async fn a_program_that_cannot_list_says_why() {
    assert!(list("/nowhere/trawl".as_ref()).await.unwrap_err().contains("could not be asked for"));
    assert!(list("/bin/false".as_ref()).await.unwrap_err().contains("exited with status 1"));
}
