"""Compares the trainer with PEFT on one LoRA run, interleaved, and prints a page in Markdown.

usage: compare.py --trainer COMMAND --python PYTHON --model DIR [--rounds N] [--steps N] [--work DIR]

Every round runs both sides without and with recomputation, one after the other, and the side that
begins changes from round to round: a machine whose speed swings then hits both alike, so only the
ratios within a round are compared.
"""

import argparse
import json
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys

import measure
import rows

HERE = pathlib.Path(__file__).parent
RANK, LONG_BATCH, WARM_UP = 16, 2, 2
THREADS = 2
# The loss before the first update depends on the model, the rows and the labels only.
LOSS_TOLERANCE = 1e-4
# What four public trainers log as the first loss of the short rows with batch 4 and plain ChatML.
SHORT_LOSS = 2.0625
ENVIRONMENT = {
    "OMP_NUM_THREADS": str(THREADS),
    "OMP_WAIT_POLICY": "PASSIVE",
    "HF_HUB_OFFLINE": "1",
}
SIDES = ("trainer", "peft")


class Comparison:
    def __init__(self, arguments):
        self.arguments = arguments
        self.work = arguments.work
        self.work.mkdir(parents=True, exist_ok=True)
        self.files = {}
        for kind in ("short", "long"):
            self.files[kind] = self.work / f"{kind}.json"
            self.files[kind].write_text(json.dumps(getattr(rows, kind)(), ensure_ascii=False), encoding="utf-8")

    def recipe(self, out, kind, steps, batch, checkpointing, template):
        recipe = {
            "model": {"source": f"file://{self.arguments.model}", "template": template},
            "dataset": {
                "train": [{"source": f"file://{self.files[kind]}"}],
                "validation": {"fraction": 0},
                "shuffle": False,
            },
            "method": {"lora": {"rank": RANK, "alpha": 2 * RANK, "dropout": 0}},
            "training": {
                "maxSteps": steps,
                "epochs": 100,
                "learningRate": 1e-4,
                "schedule": "Constant",
                "warmupRatio": 0,
                "weightDecay": 0,
                "batchSize": batch,
                "gradientAccumulationSteps": 1,
                "maxLength": 512,
                "precision": "FP32",
                "gradientCheckpointing": checkpointing,
                "loggingSteps": 1,
                "saveSteps": 1000000,
            },
            "output": {"destination": f"file://{out}"},
        }
        # JSON is YAML.
        file = self.work / "recipe.yaml"
        file.write_text(json.dumps(recipe, indent=1), encoding="utf-8")
        return file

    def command(self, side, out, kind, steps, batch, checkpointing, template):
        if side == "trainer":
            recipe = self.recipe(out, kind, steps, batch, checkpointing, template)
            return [*shlex.split(self.arguments.trainer), "sft", "--recipe", str(recipe)]
        command = [self.arguments.python, str(HERE / "peft_lora.py"), str(self.arguments.model), str(self.files[kind])]
        command += [str(out), "--steps", str(steps), "--batch", str(batch), "--rank", str(RANK)]
        command += ["--threads", str(THREADS), "--template", "chatml" if template == "ChatML" else "own"]
        return command + (["--checkpointing"] if checkpointing else [])

    def run(self, side, kind, steps, batch, checkpointing, template="Auto"):
        out = self.work / side
        # A folder with checkpoints would be resumed.
        subprocess.run(["rm", "-rf", str(out)], check=True)
        command = self.command(side, out.resolve(), kind, steps, batch, checkpointing, template)
        print(f"bench: {side} {kind} recomputation={checkpointing}", file=sys.stderr, flush=True)
        result = measure.run(command, out / "logging.jsonl", self.work / f"{side}.log", ENVIRONMENT)
        if len(result.steps) != steps:
            raise SystemExit(f"{side} logged {len(result.steps)} of {steps} steps; see {self.work}/{side}.log")
        return result

    def round(self, number, checkpointing):
        """One run of each side on the same batches: (speed, peak, resident) by side, losses compared."""
        steps = self.arguments.steps
        order = SIDES if number % 2 == 0 else SIDES[::-1]
        runs = {side: self.run(side, "long", steps, LONG_BATCH, checkpointing) for side in order}
        losses = {side: [step.line["loss"] for step in runs[side].steps] for side in SIDES}
        check_losses(losses["trainer"][0], losses["peft"][0], f"recomputation={checkpointing}")
        # Both sides train the same rows; PEFT's script counts their tokens.
        tokens = sum(step.line["tokens"] for step in runs["peft"].steps[WARM_UP:])
        figures = {}
        for side in SIDES:
            cpu, wall = runs[side].between(WARM_UP, steps)
            figures[side] = {
                "speed": tokens / cpu,
                "wall": tokens / wall,
                "peak": runs[side].peak_bytes / 2**20,
                "losses": losses[side],
            }
            summary = {key: round(value, 1) for key, value in figures[side].items() if key != "losses"}
            print(f"bench: {side} {summary}", file=sys.stderr, flush=True)
        return figures


def check_losses(ours, theirs, what):
    if abs(ours - theirs) > LOSS_TOLERANCE:
        raise SystemExit(f"first loss {ours} of the trainer, {theirs} of PEFT ({what}): the work is not the same")


def spread(values, digits=2):
    """min / median / max"""
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))


def table(rounds):
    print("| | trainer | PEFT | trainer / PEFT, of each round |")
    print("| --- | --- | --- | --- |")
    for checkpointing, label in ((False, "without recomputation"), (True, "with recomputation")):
        figures = rounds[checkpointing]
        for key, name, digits in (
            ("speed", "tokens per CPU-second", 1),
            ("wall", "tokens per second", 1),
            ("peak", "peak memory, MiB", 0),
        ):
            ours = [figure["trainer"][key] for figure in figures]
            theirs = [figure["peft"][key] for figure in figures]
            ratios = [a / b for a, b in zip(ours, theirs)]
            cells = (f"{name}, {label}", spread(ours, digits), spread(theirs, digits), spread(ratios))
            print("| " + " | ".join(cells) + " |")


def losses(rounds):
    print("| step | " + " | ".join(str(step) for step in (1, 2, 3, 4, 5)) + " | last |")
    print("| --- " * 7 + "|")
    for side in SIDES:
        values = rounds[False][0][side]["losses"]
        print(f"| {side} | " + " | ".join(f"{value:.5f}" for value in values[:5] + values[-1:]) + " |")


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    name = next(
        (line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "unknown"
    )
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "")
    sets = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags.split()]
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    return (
        f"{name}, {info.count('processor')} processors, {', '.join(sets)}, {int(memory) >> 20} GiB, {platform.system()}"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trainer", required=True, help="command that starts the trainer, as one process")
    parser.add_argument("--python", required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    comparison = Comparison(parser.parse_args())
    arguments = comparison.arguments
    short = comparison.run("trainer", "short", 1, 4, False, "ChatML").steps[0].line["loss"]
    check_losses(short, SHORT_LOSS, "short rows, batch 4")
    rounds = {False: [], True: []}
    for number in range(arguments.rounds):
        for checkpointing in (False, True):
            rounds[checkpointing].append(comparison.round(number, checkpointing))
    print(f"Machine: {machine()}. {arguments.rounds} rounds of {arguments.steps - WARM_UP} timed steps.\n")
    table(rounds)
    print(
        f"\nFirst loss on the short rows, batch 4: {short:.5f} (other trainers: {SHORT_LOSS}). Losses on the long rows:\n"
    )
    losses(rounds)


if __name__ == "__main__":
    main()
