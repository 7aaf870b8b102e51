"""Trains the same rows with one rank of two threads and with two ranks of one, by turns, and prints Markdown;
then the memory of each rank by the number of ranks and of trained parameters.

usage: compare.py TRAINER MODEL WORK ROUNDS
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROWS_PER_STEP, STEPS, WARM_UP = 8, 8, 2
POLL_SECONDS = 0.02


def rows(file):
    """Answers of about 150 tokens."""
    text = "The pods of a job start together, and the slowest of them says when a step is done. "
    table = [
        {"instruction": f"Explain it, number {i}.", "input": "", "output": text * 3}
        for i in range(ROWS_PER_STEP * STEPS)
    ]
    file.write_text(json.dumps(table))


def children(pid):
    """Of all its threads: a JVM starts processes from any."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def peak_mebibytes(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def train(trainer, model, work, ranks, lora_rank, steps=STEPS):
    """Tokens per second after the warm-up, and the largest resident set of each rank in MiB."""
    output = work / "out"
    shutil.rmtree(output, ignore_errors=True)
    command = [
        trainer, "sft", "--model", model, "--dataset", work / "rows.json", "--output_dir", output,
        "--nproc_per_node", ranks, "--batch_size", ROWS_PER_STEP // ranks, "--gradient_accumulation_steps", 1,
        "--lora_rank", lora_rank, "--lora_dropout", 0, "--split_dataset_ratio", 0, "--num_train_epochs", 1,
        "--max_steps", steps, "--logging_steps", 1, "--gradient_checkpointing", "true",
    ]
    times, tokens, peaks = [], [], {}
    with (work / "log").open("wb") as sink:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=sink, stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": str(max(1, 2 // ranks))},
        )
        while process.poll() is None:
            for pid in children(process.pid) if ranks > 1 else [process.pid]:
                peaks[pid] = max(peaks.get(pid, 0), peak_mebibytes(pid))
            log = output / "logging.jsonl"
            lines = [line for line in log.read_text().splitlines() if '"loss"' in line] if log.exists() else []
            for line in lines[len(times):]:
                times.append(time.perf_counter())
                tokens.append(json.loads(line)["tokens"])
            time.sleep(POLL_SECONDS)
    if process.returncode != 0:
        raise SystemExit(f"the trainer ended with {process.returncode}; its output is in {work / 'log'}")
    return sum(tokens[WARM_UP:]) / (times[-1] - times[WARM_UP - 1]), [round(each) for each in peaks.values() if each > 100]


def spread(values):
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def main(trainer, model, work, rounds):
    work.mkdir(parents=True, exist_ok=True)
    rows(work / "rows.json")
    one, two = [], []
    for turn in range(rounds):
        for ranks in (1, 2) if turn % 2 == 0 else (2, 1):
            (one if ranks == 1 else two).append(train(trainer, model, work, ranks, 16)[0])
    print("| | one rank, two threads | two ranks, one thread each | two / one, of each round |")
    print("| --- | --- | --- | --- |")
    print(f"| tokens per second | {spread(one)} | {spread(two)} | {spread([b / a for a, b in zip(one, two)])} |")
    print()
    print("| ranks | rank 16, MiB of each | rank 128, MiB of each |")
    print("| --- | --- | --- |")
    for ranks in (1, 2, 4):
        sizes = [train(trainer, model, work, ranks, lora_rank, steps=3)[1] for lora_rank in (16, 128)]
        print(f"| {ranks} | " + " | ".join(", ".join(map(str, each)) for each in sizes) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4]))
