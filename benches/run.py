#!/usr/bin/env python3
"""What trawl costs and how fast it is, measured on the release binary. `make bench` builds and runs it.

Prints a table: figure, measured, what is asked, whether it holds. Ratios come from one run. Nothing but loopback and,
once, a package registry is used. Nothing else should run on the machine meanwhile.

    benches/run.py [--quick] [--only NAME] [--clips N] [--threads N] [--binary target/release/trawl]
"""

import argparse
import pathlib
import sys
import time

import api
import cost
import lab
import recognition
import table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a minute, to see that everything runs")
    parser.add_argument("--only", help="one of the names that are printed as they run")
    parser.add_argument("--binary", default=str(lab.ROOT / "target" / "release" / "trawl"))
    parser.add_argument("--clips", type=int, help="of the group `throughput`; otherwise as many as fit into the time")
    parser.add_argument("--threads", type=int, default=lab.THREADS, help="of the CPU, for everything that is compared")
    args = parser.parse_args()
    lab.THREADS = args.threads
    binary, capi = args.binary, str(pathlib.Path(args.binary).with_name("capi"))
    size = lambda whole, quick: quick if args.quick else whole
    figures = {
        "memory": lambda: cost.memory(binary, size(2048, 64)),
        "overhead": lambda: cost.overhead(binary, size(40, 5)),
        "resolve": lambda: cost.resolve(pathlib.Path(args.binary).with_name("examples") / "resolve-cost"),
        "command": lambda: (cost.command_line(binary, None, size(3, 1)), cost.command_line(binary, "base", 1)),
        "crashes": lambda: cost.crashes(binary, size(15, 4)),
        "api": lambda: api.busy(binary, size(100_000, 5_000), size(2400, 200), size(600, 50)),
        "streams": lambda: api.streams(binary, size(500, 50)),
        "idle": lambda: api.idle(binary, size(10_000, 1_000)),
        "ctranslate2": lambda: recognition.ctranslate2(capi, size(7, 1)),
        "long": lambda: recognition.long_file(binary, capi, size(600, 60)),
        "copies": lambda: recognition.one_copy(binary, capi),
        "throughput": lambda: (
            recognition.throughput(binary, "base", args.clips or size(30, 6)),
            recognition.throughput(binary, None, args.clips or size(60, 8)),
        ),
        "urgent": lambda: recognition.urgent(binary, size(50, 10), size(5, 1)),
    }
    for name, measure in figures.items():
        if args.only in (None, name):
            begun = time.monotonic()
            measure()
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    sys.exit(not table.show())


if __name__ == "__main__":
    main()
