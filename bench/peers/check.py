"""Loads what the trainer wrote with the programs that its users have, and compares the logits.

usage: check.py --trainer COMMAND --golden DIR --work DIR

Tunes tiny models with every method for a few steps. For each result the trainer's own logits (trainer
infer --logits) are compared with those of PEFT, or of transformers for a model's folder, on the same
token ids; and TensorBoard's reader must find in the run's files what logging.jsonl says.
"""

import argparse
import json
import pathlib
import shlex
import shutil
import subprocess
import sys

import torch
from peft import PeftModel
from safetensors import safe_open
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForCausalLM

TOLERANCE = 1e-4
PROMPTS = ("What is the capital of France?", "Give the plural form of the noun.\nmouse")
MODELS = (
    "tiny-llama",
    "tiny-llama3",
    "tiny-qwen2",
    "tiny-qwen3",
    "tiny-mistral",
    "tiny-gemma2",
    "tiny-gemma3",
    "tiny-phi3",
)
METHODS = {
    "LoRA": {"lora": {"rank": 8}},
    "LoRA, rank-stabilised": {"lora": {"rank": 8, "variant": "RankStabilized"}},
    "LoRA, patterns": {"lora": {"rank": 8, "rankPattern": {"down_proj": 4}, "alphaPattern": {"o_proj": 4}}},
    "LoRA with embedding": {"lora": {"rank": 8, "targetModules": ["all-linear", "embed_tokens"]}},
    "DoRA": {"lora": {"rank": 8, "variant": "DoRA"}},
    "PiSSA": {"lora": {"rank": 8, "initialization": "PiSSA"}},
    "IA3": {"ia3": {}},
    "prefix tuning": {"prefixTuning": {"virtualTokens": 8}},
    "prompt tuning": {"promptTuning": {"virtualTokens": 8}},
    "bottleneck adapter": {"adapter": {"size": 16}},
    "full": {"full": {}},
}
# What can be merged into the model's weights.
MERGED = {"LoRA", "LoRA, rank-stabilised", "LoRA, patterns", "LoRA with embedding", "DoRA", "PiSSA"}


class Run:
    """One tuning of one model."""

    def __init__(self, arguments, model, method):
        self.trainer = shlex.split(arguments.trainer)
        self.base = arguments.golden / model / "base"
        self.method = method
        self.out = arguments.work / model / method.replace(", ", "-").replace(" ", "-")
        self.rows = arguments.golden / "rows" / "train.json"

    def train(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        recipe = {
            "model": {"source": f"file://{self.base}"},
            "dataset": {"train": [{"source": f"file://{self.rows}", "sample": 32}]},
            "method": METHODS[self.method],
            "training": {
                "maxSteps": 6,
                "learningRate": 1e-3 if self.method == "full" else 1e-2,
                "warmupRatio": 0,
                "batchSize": 4,
                "gradientAccumulationSteps": 1,
                "maxLength": 128,
                "overlong": "TruncateRight",
                "loggingSteps": 1,
            },
            "output": {"destination": f"file://{self.out}"},
        }
        file = self.out.with_suffix(".yaml")
        # JSON is YAML.
        file.write_text(json.dumps(recipe), encoding="utf-8")
        self.call("sft", "--recipe", file)
        return self

    def call(self, *arguments):
        done = subprocess.run([*self.trainer, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")

    def result(self):
        return self.out / ("model" if self.method == "full" else "adapter")

    def logits(self, model, adapter=None):
        """The trainer's own, with the token ids that they are of."""
        file = self.out.parent / "logits.safetensors"
        file.unlink(missing_ok=True)
        more = ["--adapter", adapter] if adapter else []
        prompts = [part for prompt in PROMPTS for part in ("--prompt", prompt)]
        self.call("infer", "--model", model, *more, *prompts, "--max_new_tokens", 1, "--logits", file)
        tensors = load_file(file)
        return [(tensors[f"ids.{i}"], tensors[f"logits.{i}"]) for i in range(len(PROMPTS))]

    def merge(self):
        merged = self.out / "merged"
        self.call("export", "--model", self.base, "--adapter", self.result(), "--output", merged)
        return merged


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def bottleneck(model, folder):
    """PEFT has no such adapter: docs/adapter-format.md's formula, put on with hooks."""
    tensors = load_file(folder / "adapter_model.safetensors")
    for name, module in model.named_modules():
        if name.endswith((".o_proj", ".down_proj")):
            module.register_forward_hook(hook(tensors, f"base_model.model.{name}.adapter_"))
    return model


def hook(tensors, name):
    def adapted(module, inputs, hidden):
        inner = hidden @ tensors[name + "down.weight"].T + tensors[name + "down.bias"]
        return hidden + torch.nn.functional.gelu(inner) @ tensors[name + "up.weight"].T + tensors[name + "up.bias"]

    return adapted


def with_result(run):
    if run.method == "full":
        return load(run.result())
    if run.method == "bottleneck adapter":
        return bottleneck(load(run.base), run.result())
    return PeftModel.from_pretrained(load(run.base), run.result()).eval()


@torch.no_grad()
def difference(model, expected):
    """The largest difference of a logit, of the positions of the prompt's own tokens."""
    largest = 0
    for ids, logits in expected:
        theirs = model(input_ids=ids.view(1, -1)).logits[0].float()
        # Prompt tuning puts virtual positions in front.
        theirs = theirs[theirs.shape[0] - logits.shape[0] :]
        largest = max(largest, (theirs - logits).abs().max().item())
    return largest


def check_tensorboard(run):
    """TensorBoard must read a value for every logged step, the logged one."""
    events = EventAccumulator(str(run.out / "runs")).Reload()
    read = {event.step: event.value for event in events.Scalars("train/loss")}
    lines = map(json.loads, (run.out / "logging.jsonl").read_text(encoding="utf-8").splitlines())
    logged = {line["step"]: line["loss"] for line in lines if "loss" in line}
    assert read.keys() == logged.keys(), (read, logged)
    assert all(abs(read[step] - logged[step]) < 1e-5 * logged[step] for step in logged), (read, logged)


def check_safetensors(run):
    for file in sorted(run.result().glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            assert opened.metadata() == {"format": "pt"}, (file, opened.metadata())


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trainer", required=True)
    parser.add_argument("--golden", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    return arguments


class Table:
    """Prints a row for each result, and ends the program if one differs too much."""

    def __init__(self):
        print("\n| model | method | adapter or model | merged |\n| --- | --- | --- | --- |")
        self.failed = []

    def add(self, name, method, differences):
        if max(differences) > TOLERANCE:
            self.failed.append((name, method, differences))
        shown = [f"{each:.1e}" for each in differences] + [""] * (2 - len(differences))
        print(f"| {name} | {method} | {shown[0]} | {shown[1]} |", flush=True)

    def end(self):
        if self.failed:
            raise SystemExit(f"more than {TOLERANCE}: {self.failed}")


def main():
    arguments = parse_arguments()
    print("Largest difference of a logit between the trainer and PEFT, or transformers, from the same files:")
    table = Table()
    for name in MODELS:
        # Every method on the first model, and what is most used on each of the others.
        for method in METHODS if name == MODELS[0] else ("LoRA", "DoRA", "prefix tuning", "full"):
            print(f"peers: {name} {method}", file=sys.stderr)
            run = Run(arguments, name, method).train()
            check_tensorboard(run)
            check_safetensors(run)
            own = run.logits(run.result()) if method == "full" else run.logits(run.base, run.result())
            differences = [difference(with_result(run), own)]
            if method in MERGED:
                merged = run.merge()
                differences.append(difference(load(merged), run.logits(merged)))
            table.add(name, method, differences)
    table.end()


if __name__ == "__main__":
    main()
