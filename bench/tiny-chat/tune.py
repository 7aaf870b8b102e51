"""Tunes tiny-chat with PEFT by the recipe of a manifest, to see what the recipe does to the model.

usage: tune.py [--manifest FILE] [--model DIR] [--seeds N]

Prints the loss and the evaluation loss of each epoch, then the base and the tuned model's greedy
answers. Rows, order and held-out rows are drawn here with Python's generator, so the numbers are near
those of the trainer but not the same.
"""

import argparse
import json
import math
import pathlib
import random
import time

import torch
import yaml
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from train import REPOSITORY, answer, encode

QUESTIONS = (
    "Who are you?",
    "What is the capital of France?",
    "你是谁？",
    "How do I make tea?",
    "Are you ChatGPT?",
    "天空是什么颜色的？",
)


def load_rows(tokenizer, sources):
    """Ids and labels as the trainer makes them: all that follows the generation prompt is supervised."""
    for source in sources:
        text = (REPOSITORY / "examples" / source["source"].removeprefix("pvc://")).read_text(encoding="utf-8")
        for row in json.loads(text):
            question = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": row["output"]}]
            yield encode(tokenizer, messages)


def collate(rows, pad):
    width = max(len(ids) for ids, _ in rows)
    return {
        "input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in rows]),
        "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows]),
        "labels": torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in rows]),
    }


def evaluate(model, rows, pad):
    """Mean negative log-likelihood of a supervised token."""
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for i in range(0, len(rows), 8):
            batch = collate(rows[i : i + 8], pad)
            tokens = int((batch["labels"] != -100).sum())
            total += model(**batch).loss.item() * tokens
            count += tokens
    model.train()
    return total / count


def tune(model, tokenizer, recipe, seed):
    training, lora = recipe["training"], recipe["method"]["lora"]
    rows = list(load_rows(tokenizer, recipe["dataset"]["train"]))
    random.Random(seed).shuffle(rows)
    held_out = max(1, round(len(rows) * recipe["dataset"]["validation"]["fraction"]))
    validation, train = rows[:held_out], rows[held_out:]
    torch.manual_seed(seed)
    model = get_peft_model(
        model,
        LoraConfig(
            r=lora["rank"],
            lora_alpha=lora["alpha"],
            lora_dropout=lora["dropout"],
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=training["learningRate"], betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1
    )
    batch_size, epochs = training["batchSize"], training["epochs"]
    steps = epochs * math.ceil(len(train) / batch_size)
    warmup = math.ceil(0.05 * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: s / warmup if s < warmup else 0.5 * (1 + math.cos(math.pi * (s - warmup) / (steps - warmup))),
    )
    print(
        json.dumps({"epoch": 0, "evalLoss": round(evaluate(model, validation, tokenizer.pad_token_id), 4)}), flush=True
    )
    start = time.process_time()
    for epoch in range(epochs):
        random.Random(seed * 1000 + epoch).shuffle(train)
        total, count = 0.0, 0
        for i in range(0, len(train), batch_size):
            batch = collate(train[i : i + batch_size], tokenizer.pad_token_id)
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            tokens = int((batch["labels"] != -100).sum())
            total, count = total + loss.item() * tokens, count + tokens
        evaluation = evaluate(model, validation, tokenizer.pad_token_id)
        line = {
            "epoch": epoch + 1,
            "loss": round(total / count, 4),
            "evalLoss": round(evaluation, 4),
            "cpuSeconds": round(time.process_time() - start, 1),
        }
        print(json.dumps(line), flush=True)
    return model.eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--manifest", type=pathlib.Path, default=REPOSITORY / "examples" / "quickstart.yaml")
    parser.add_argument("--model", type=pathlib.Path, default=REPOSITORY / "examples" / "models" / "tiny-chat")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rate", type=float, help="instead of the manifest's learning rate")
    parser.add_argument("--dropout", type=float, help="instead of the manifest's dropout")
    parser.add_argument("--batch", type=int, help="instead of the manifest's batch size")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # a step is too small to share, and a spinning partner costs more than it brings
    recipe = yaml.safe_load(arguments.manifest.read_text(encoding="utf-8"))["spec"]["recipe"]
    recipe["training"]["learningRate"] = arguments.rate or recipe["training"]["learningRate"]
    if arguments.dropout is not None:
        recipe["method"]["lora"]["dropout"] = arguments.dropout
    recipe["training"]["batchSize"] = arguments.batch or recipe["training"]["batchSize"]
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    for seed in range(42, 42 + arguments.seeds):
        model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
        before = {question: answer(model, tokenizer, question) for question in QUESTIONS}
        tuned = tune(model, tokenizer, recipe, seed)
        for question in QUESTIONS:
            line = {"question": question, "base": before[question], "tuned": answer(tuned, tokenizer, question)}
            print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
