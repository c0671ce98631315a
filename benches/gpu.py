#!/usr/bin/env python3
"""How many slots a GPU is good for: windows of speech through an engine process with 1, 2, 4 and 8 slots.

    benches/gpu.py [--binary trawl] [--device cuda:0] [--size large-v3] [--slots 1,2,4,8] [--windows 16]

Prints a table for the smoke model and for a model of random weights. With random weights the decoder finds no end and
writes as much as it may, about twice what a dense window of speech needs: the figures are a lower bound.
`make bench-gpu` builds trawl with CUDA and runs it.
"""

import argparse
import pathlib
import tempfile

import lab
from engine import EngineProcess

WINDOW = 30 * lab.RATE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(lab.ROOT / "target" / "release" / "trawl"))
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--size", default="large-v3", help="of the model with random weights")
    parser.add_argument("--slots", default="1,2,4,8")
    parser.add_argument("--windows", type=int, default=16, help="for each slot")
    args = parser.parse_args()
    models = {"smoke": lab.SMOKE, f"{args.size}, random weights, f16": lab.random_model(args.size, "f16")}
    print(f"device {args.device}, windows of 30 s, beam 5, one attempt each")
    print("| model | slots | clips/s | real-time factor |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        pcm = lab.speech(180, pathlib.Path(folder) / "speech.pcm")
        for name, model in models.items():
            for slots in map(int, args.slots.split(",")):
                count = args.windows * slots
                windows = [(pcm, number % 6 * WINDOW, (number % 6 + 1) * WINDOW) for number in range(count)]
                engine = EngineProcess(args.binary, model, slots, lab.THREADS, args.device)
                engine.recognise(windows[:slots], temperature=[0])  # the first pass sets the device up
                seconds = engine.recognise(windows, temperature=[0])
                engine.stop()
                print(f"| {name} | {slots} | {count / seconds:.2f} | {seconds / (30 * count):.4f} |", flush=True)


if __name__ == "__main__":
    main()
