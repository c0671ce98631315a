#!/usr/bin/env python3
"""Which build flags make whisper.cpp fast on this machine: builds `benches/capi` with each set and measures in turn.

    benches/flags.py [--build] [ROUNDS]

Prints a table of medians: one 30 s window of base dimensions, encoder and 64 tokens. `--build` only builds. A build of
whisper.cpp takes minutes; what is built is kept in `target/flags`. Nothing else should run meanwhile.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys

import lab

HOME = lab.ROOT / "target" / "flags"
PORTABLE = {"GGML_NATIVE": "OFF", "GGML_AVX2": "ON", "GGML_FMA": "ON", "GGML_F16C": "ON", "GGML_BMI2": "ON"}
OPENMP = "native + llamafile + OpenMP"
AVX512 = {**PORTABLE, "GGML_AVX512": "ON"}
# How long OpenMP's threads spin before they sleep; without this it is milliseconds.
SPINS = (0, 1_000, 10_000)
# Name → environment of the build, features of `capi`.
SETS = {
    "native": ({"GGML_LLAMAFILE": "OFF"}, ""),
    "native + llamafile": ({"GGML_LLAMAFILE": "ON"}, ""),
    "native + llamafile, no repack": ({"GGML_LLAMAFILE": "ON", "GGML_CPU_REPACK": "OFF"}, ""),
    OPENMP: ({"GGML_LLAMAFILE": "ON"}, "openmp"),
    "AVX2": ({**PORTABLE, "GGML_LLAMAFILE": "OFF"}, ""),
    "AVX2 + llamafile": ({**PORTABLE, "GGML_LLAMAFILE": "ON"}, ""),
    "AVX-512 + llamafile": ({**AVX512, "GGML_LLAMAFILE": "ON"}, ""),
    "AVX-512 VBMI VNNI BF16 + llamafile": (
        {**AVX512, "GGML_LLAMAFILE": "ON"} | {f"GGML_AVX512_{part}": "ON" for part in ("VBMI", "VNNI", "BF16")},
        "",
    ),
}


def build(name):
    """The program built with these flags."""
    program = HOME / re.sub("[^A-Za-z0-9]+", "-", name)
    if program.exists():
        return program
    flags, features = SETS[name]
    target = HOME / "target"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GGML_")}
    environment |= flags | {"CARGO_TARGET_DIR": str(target)}
    # whisper-rs-sys does not watch the environment: without this it would be taken for built.
    clean = ["cargo", "clean", "--quiet", "--release", "--package", "whisper-rs-sys"]
    make = ["cargo", "build", "--quiet", "--release", "--locked", "--package", "capi", "--no-default-features", "--features", features]
    for command in (clean, make):
        subprocess.run(command, cwd=lab.ROOT, env=environment, check=True)
    shutil.copy2(target / "release" / "capi", program)
    return program


def main():
    programs = {}
    for name in SETS:
        print(f"building: {name}", file=sys.stderr)
        programs[name] = build(name)
    if "--build" in sys.argv:
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    # Name → program, environment of the run.
    runs = {name: (program, {}) for name, program in programs.items()}
    for spins in SPINS:
        runs[f"OpenMP as above, GOMP_SPINCOUNT={spins}"] = (programs[OPENMP], {"GOMP_SPINCOUNT": str(spins)})
    models = {ftype: lab.random_model("base", ftype) for ftype in ("f16", "q8_0")}
    found = {name: {ftype: [] for ftype in models} for name in runs}
    for _ in range(rounds):
        for name, (program, environment) in runs.items():
            for ftype, model in models.items():
                found[name][ftype].append(lab.capi(program, "one", model, lab.THREADS, 64, **environment))
    print(f"{lab.THREADS} threads, medians of {rounds}, milliseconds")
    print("| flags | f16 encoder | f16 token | f16 window | q8_0 encoder | q8_0 token | q8_0 window |")
    print("|---|---|---|---|---|---|---|")
    for name, results in found.items():
        median = lambda ftype, figure: statistics.median(run[figure] for run in results[ftype])
        cells = [
            f"{median(ftype, 'encode_ms'):.0f} | {median(ftype, 'token_ms'):.2f} | {median(ftype, 'window_ms'):.0f}"
            for ftype in models
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
