"""Compares the curve of training and validation loss with PEFT's, from the same start.

usage: curve.py --trainer COMMAND --model DIR --work DIR [--rows N] [--steps N]

Both sides train LoRA on the same rows in the same order without dropout: the trainer's fresh adapter
is where PEFT starts too. A side whose log is in the work folder already isn't run again.
"""

import argparse
import itertools
import json
import math
import pathlib
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import rows as tasks  # noqa: E402

RANK, BATCH, EVAL_STEPS, VALIDATION = 16, 8, 25, 48
RATE, WARMUP, DECAY, BETAS, CLIP = 2e-4, 0.05, 0.1, (0.9, 0.95), 1.0


def write_rows(work, count):
    sequence = tasks.rows()
    train = list(itertools.islice(sequence, count))
    held_out = list(itertools.islice(sequence, VALIDATION))
    for name, part in (("train", train), ("validation", held_out)):
        (work / f"{name}.json").write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")
    return train, held_out


def recipe(arguments, out, steps, warmup):
    work = arguments.work
    return {
        "model": {"source": f"file://{arguments.model}", "template": "ChatML"},
        "dataset": {
            "train": [{"source": f"file://{work}/train.json"}],
            "validation": {"sources": [{"source": f"file://{work}/validation.json"}]},
            "shuffle": False,
        },
        "method": {"lora": {"rank": RANK, "alpha": 2 * RANK, "dropout": 0}},
        "training": {
            "epochs": 100,
            "maxSteps": steps,
            "learningRate": RATE,
            "warmupRatio": warmup,
            "weightDecay": DECAY,
            "batchSize": BATCH,
            "gradientAccumulationSteps": 1,
            "precision": "FP32",
            "gradientCheckpointing": False,
            "loggingSteps": 1,
            "evalSteps": EVAL_STEPS,
            "saveSteps": 1000000,
        },
        "output": {"destination": f"file://{out}"},
    }


def train(arguments, name, steps, warmup=WARMUP):
    """Runs the trainer and returns its destination."""
    out = arguments.work / name
    file = arguments.work / f"{name}.yaml"
    # JSON is YAML.
    file.write_text(json.dumps(recipe(arguments, out, steps, warmup), indent=1), encoding="utf-8")
    if not (out / "adapter").exists():
        print(f"curve: training {name}", file=sys.stderr)
        command = [*shlex.split(arguments.trainer), "sft", "--recipe", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def rate(step, steps):
    """transformers' cosine schedule with warm-up; the first step has the number 0."""
    warmup = math.ceil(WARMUP * steps)
    if step < warmup:
        return RATE * step / max(1, warmup)
    return RATE * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def peft(arguments, train_rows, validation_rows, start, steps):
    """The same run with PEFT; writes a log in the trainer's form."""
    log_file = arguments.work / "peft.jsonl"
    if log_file.exists():
        return log_file
    print("curve: training with PEFT", file=sys.stderr)
    import torch
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoTokenizer

    import peft_lora

    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    tokenizer.chat_template = peft_lora.CHATML
    model = peft_lora.adapted(arguments.model, RANK, False)
    set_peft_model_state_dict(model, load_file(start / "adapter_model.safetensors"))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=BETAS, weight_decay=DECAY)
    encoded = [peft_lora.encode(tokenizer, row) for row in train_rows]
    held_out = [peft_lora.encode(tokenizer, row) for row in validation_rows]

    def validation_loss():
        nll = tokens = 0
        with torch.no_grad():
            for batch in itertools.islice(peft_lora.batches(held_out, BATCH, 0), VALIDATION // BATCH):
                count = int((batch["labels"][:, 1:] != -100).sum())
                nll += model(**batch).loss.item() * count
                tokens += count
        return nll / tokens

    lines = []
    stream = peft_lora.batches(encoded, BATCH, tokenizer.pad_token_id)
    for step, batch in enumerate(itertools.islice(stream, steps)):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        lines.append({"step": step + 1, "loss": loss.item()})
        if (step + 1) % EVAL_STEPS == 0:
            lines.append({"step": step + 1, "evalLoss": validation_loss()})
            print(f"curve: step {step + 1} of {steps}: {lines[-1]['evalLoss']:.4f}", file=sys.stderr)
    log_file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return log_file


def series(file, key):
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {line["step"]: line[key] for line in lines if key in line}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trainer", required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=int, default=1000)
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    train_rows, validation_rows = write_rows(arguments.work, arguments.rows)
    steps = arguments.rows // BATCH
    # In the first step of a warm-up the rate is 0, so its checkpoint holds the fresh adapter.
    start = train(arguments, "start", 1, warmup=1.0) / "adapter"
    theirs = peft(arguments, train_rows, validation_rows, start, steps)
    ours = train(arguments, "trainer", steps) / "logging.jsonl"
    print(f"| loss | first | last | largest difference, {arguments.rows} rows, {steps} steps of {BATCH} |")
    print("| --- | --- | --- | --- |")
    for name, key in (("training", "loss"), ("validation", "evalLoss")):
        mine, other = series(ours, key), series(theirs, key)
        both = sorted(mine.keys() & other.keys())
        assert both, f"no common {key}"
        largest = max(both, key=lambda step: abs(mine[step] - other[step]))
        print(
            f"| {name} | {mine[both[0]]:.5f} | {mine[both[-1]]:.5f} "
            f"| {abs(mine[largest] - other[largest]):.1e} (step {largest}: {mine[largest]:.5f}, PEFT {other[largest]:.5f}) |"
        )


if __name__ == "__main__":
    main()
