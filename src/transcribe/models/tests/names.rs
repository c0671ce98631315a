//! Names, aliases, the default, and the list.

use super::*;

#[test]
fn names_are_resolved() {
    let dir = TempDir::new().unwrap();
    let models = models(dir.path());
    let missing = models.resolve(None).unwrap_err();
    assert_eq!(missing.code, Code::ModelMissing);
    assert!(missing.hint.contains("trawl models pull base"), "{}", missing.hint);

    fs::create_dir_all(dir.path().join("smoke/deep")).unwrap();
    for file in ["smoke/ggml-smoke-q8_0.bin", "smoke/deep/ggml-hidden.bin", "other.bin"] {
        fs::write(dir.path().join(file), b"x").unwrap();
    }
    let smoke = models.resolve(Some("smoke")).unwrap();
    assert_eq!((smoke.name.as_str(), &smoke.path), ("smoke-q8_0", &dir.path().join("smoke/ggml-smoke-q8_0.bin")));
    assert_eq!(models.resolve(None).unwrap_err().code, Code::ModelMissing, "never chosen silently");
    assert_eq!(Models { default: "smoke".to_owned(), ..models.clone() }.resolve(None).unwrap(), smoke);

    let unknown = models.resolve(Some("large-v3-trubo")).unwrap_err();
    assert_eq!((unknown.code, unknown.hint.as_str()), (Code::UnknownModel, "Did you mean \"large-v3-turbo\"?"));
    // An alias of a model that is gone is no help.
    let gone = Models { aliases: [("smoke".to_owned(), "smoke-q5".to_owned())].into(), ..models.clone() };
    let unknown = gone.resolve(Some("smoke")).unwrap_err();
    assert_eq!(unknown.hint, "Did you mean \"smoke-q8_0\"?");
    for bad in ["../smoke/ggml-smoke-q8_0", "smoke/smoke-q8_0", "hidden", "x/y", "..", "\0", "/etc/passwd"] {
        assert_eq!(models.resolve(Some(bad)).unwrap_err().code, Code::UnknownModel, "{bad}");
        assert_eq!(models.look(Some(bad)).unwrap_err().code, Code::UnknownModel, "{bad}");
        assert_eq!(models.remove(bad).unwrap_err().code, Code::UnknownModel, "{bad}");
    }
}

#[test]
fn capitals_do_not_matter_but_the_exact_name_wins() {
    let dir = TempDir::new().unwrap();
    for name in ["Mine", "mine", "Other"] {
        fs::write(dir.path().join(format!("ggml-{name}.bin")), b"x").unwrap();
    }
    let models = with(dir.path(), "auto", &[("Whisper-1", "Other"), ("large", "LARGE-V3")]);
    for (given, name) in [
        ("Mine", "Mine"),
        ("mine", "mine"),
        ("OTHER", "Other"),
        ("whisper-1", "Other"),
        (" Large ", "large-v3"),
        ("Tiny.EN", "tiny.en"),
    ] {
        assert_eq!(models.name(Some(given)).unwrap(), name, "{given}");
    }
}

#[test]
fn auto_is_the_default_and_the_default_suits_the_device() {
    let dir = TempDir::new().unwrap();
    let aliases = [("whisper-1", "auto"), ("quick", "tiny")];
    let name = |models: &Models, name: &str| models.name(Some(name)).unwrap();
    let models = with(dir.path(), "auto", &aliases);
    assert_eq!((name(&models, "auto"), name(&models, "whisper-1")), ("base".to_owned(), "base".to_owned()));
    let clone = models.clone();
    models.settle_default(true);
    models.settle_default(false);
    for given in ["auto", "AUTO", "whisper-1", ""] {
        assert_eq!(name(&clone, given), "large-v3-turbo", "{given}");
    }
    let on_cpu = with(dir.path(), "auto", &aliases);
    on_cpu.settle_default(false);
    assert_eq!(name(&on_cpu, "whisper-1"), "base");
    let named = with(dir.path(), "quick", &aliases);
    named.settle_default(true);
    assert_eq!((name(&named, "auto"), name(&named, "whisper-1")), ("tiny".to_owned(), "tiny".to_owned()));
    let smaller = with(dir.path(), "auto", &[("base", "base-q5_1")]);
    assert_eq!(name(&smaller, "auto"), "base-q5_1");
    assert_eq!(name(&smaller, &name(&smaller, "auto")), "base-q5_1", "a name found is found again");
    // The configuration refuses these; here they must only end.
    for circle in [&[("a", "b"), ("b", "a")][..], &[("a", "auto")], &[("a", "a")]] {
        let _ = with(dir.path(), "a", circle).name(None);
    }
}

#[test]
fn the_list_has_the_official_ones_and_those_that_are_here() {
    let dir = TempDir::new().unwrap();
    let models = with(dir.path(), "auto", &[("smoke", "smoke-q8_0"), ("whisper-1", "auto"), ("gone", "never")]);
    fs::write(dir.path().join("ggml-smoke-q8_0.bin"), smoke()).unwrap();
    fs::write(dir.path().join("ggml-broken.bin"), b"x").unwrap();
    let list = models.list();
    assert_eq!(list.len(), OFFICIAL.len() + 2);
    let entry = |name: &str| list.iter().find(|model| model.name == name).unwrap();
    let here = entry("smoke-q8_0");
    assert!(here.present && !here.official && !here.default && here.problem.is_none());
    assert_eq!((here.aliases.as_slice(), here.size), (&["smoke".to_owned()][..], Some(smoke().len() as u64)));
    assert_eq!(here.info.as_ref().unwrap().ftype, "q8_0");
    let broken = entry("broken");
    assert!(broken.info.is_none() && broken.problem.as_ref().unwrap().contains("wrong bytes"));
    let base = entry("base");
    assert!(base.default && !base.present && base.official);
    assert_eq!((base.aliases.as_slice(), base.size), (&["whisper-1".to_owned()][..], Some(142 << 20)));
    assert_eq!(entry("base-q5_1").size, None, "nobody has published its size");
    assert_eq!(models.look(Some("Whisper-1")).unwrap(), *base);

    // A file that changes is looked at again, also when its size stays.
    fs::write(dir.path().join("ggml-broken.bin"), smoke()).unwrap();
    assert_eq!(models.look(Some("broken")).unwrap().problem, None);
    let mut spoiled = smoke();
    spoiled[4] = 0;
    fs::write(dir.path().join("ggml-broken.new"), spoiled).unwrap();
    fs::rename(dir.path().join("ggml-broken.new"), dir.path().join("ggml-broken.bin")).unwrap();
    assert!(models.look(Some("broken")).unwrap().problem.is_some());
}
