"""Trains the same rows on frozen weights as they are and on weights stored in four bits (NF4), by turns, and prints
Markdown: memory, time and losses.

usage: nf4.py TRAINER MODEL WORK ROUNDS [STEPS]

MODEL is a folder, such as bench/prepare.sh gets. Both sides compute in float32 on two threads, with layers computed
again in the backward pass.
"""

import json
import pathlib
import shutil
import statistics
import sys

import measure
import rows

WARM_UP = 2


def train(trainer, model, work, bits, steps):
    output = work / f"out-{bits}"
    shutil.rmtree(output, ignore_errors=True)
    command = [
        trainer, "sft", "--model", model, "--dataset", work / "rows.json", "--output_dir", output,
        "--quant_bits", bits, "--batch_size", 2, "--gradient_accumulation_steps", 1, "--lora_rank", 16,
        "--lora_dropout", 0, "--split_dataset_ratio", 0, "--dataset_shuffle", "false", "--max_steps", steps,
        "--learning_rate", 1e-4, "--logging_steps", 1, "--torch_dtype", "float32", "--gradient_checkpointing", "true",
    ]
    environment = {"OMP_NUM_THREADS": "2"}
    return measure.run([str(part) for part in command], output / "logging.jsonl", work / f"log-{bits}", environment)


def spread(values, digits):
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))


def main(trainer, model, work, rounds, steps):
    work.mkdir(parents=True, exist_ok=True)
    (work / "rows.json").write_text(json.dumps(rows.long()), encoding="utf-8")
    runs = {0: [], 4: []}
    for turn in range(rounds):
        for bits in (0, 4) if turn % 2 == 0 else (4, 0):
            runs[bits].append(train(trainer, model, work, bits, steps))
    print("| | as they are | NF4 | NF4 / as they are, of each round |")
    print("| --- | --- | --- | --- |")
    measures = {
        "largest resident set, MiB": (lambda run: run.peak_bytes / 2**20, 0),
        "resident set after the first step, MiB": (lambda run: run.resident_bytes / 2**20, 0),
        "CPU seconds a step": (lambda run: run.between(WARM_UP, steps)[0] / (steps - WARM_UP), 2),
    }
    for name, (value, digits) in measures.items():
        plain, nf4 = ([value(run) for run in runs[bits]] for bits in (0, 4))
        ratios = [b / a for a, b in zip(plain, nf4)]
        print(f"| {name} | {spread(plain, digits)} | {spread(nf4, digits)} | {spread(ratios, 2)} |")
    losses = [[step.line["loss"] for step in runs[bits][0].steps] for bits in (0, 4)]
    for name, pick in (("first loss", lambda each: each[0]), (f"mean of {steps} losses", statistics.mean)):
        plain, nf4 = map(pick, losses)
        print(f"| {name} | {plain:.4f} | {nf4:.4f} | {nf4 / plain:.4f} |")


if __name__ == "__main__":
    STEPS = int(sys.argv[5]) if len(sys.argv) > 5 else 6
    main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4]), STEPS)
