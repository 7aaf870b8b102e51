"""LoRA with PEFT and transformers, one JSON line per step: the peer of the trainer in run.sh.

usage: peft_lora.py MODEL ROWS.json OUT --steps N [--batch N] [--rank N] [--checkpointing] [--template chatml]

Rows in file order, right-padded to the longest of the batch; loss on everything after the generation
prompt; AdamW, constant rate, float32. "tokens" counts no padding. The adapter is saved at the end,
as the trainer saves its own.
"""

import argparse
import itertools
import json
import os
import pathlib

# Both sides wait passively: a thread that spins for a partner without a core would burn CPU seconds.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

# ChatML without a default system turn, as the trainer's built-in template of that name.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def encode(tokenizer, row):
    """Token ids of a row and labels, -100 on the prompt."""
    question = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
    prompt = [{"role": "user", "content": question}]
    whole = prompt + [{"role": "assistant", "content": row["output"]}]
    head = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    text = tokenizer.apply_chat_template(whole, tokenize=False)
    head_ids = tokenizer.encode(head, add_special_tokens=False)
    ids = tokenizer.encode(text, add_special_tokens=False)
    return ids, [-100] * len(head_ids) + ids[len(head_ids) :]


def batches(rows, size, pad):
    while True:
        for i in range(0, len(rows) - size + 1, size):
            group = rows[i : i + size]
            width = max(len(ids) for ids, _ in group)
            yield {
                "input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in group]),
                "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in group]),
                "labels": torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in group]),
            }


def adapted(directory, rank, checkpointing):
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa")
    model.config.use_cache = False
    torch.manual_seed(42)
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, config)
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    return model.train()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("rows", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--template", choices=["own", "chatml"], default="own")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    if arguments.template == "chatml":
        tokenizer.chat_template = CHATML
    rows = [encode(tokenizer, row) for row in json.loads(arguments.rows.read_text(encoding="utf-8"))]
    model = adapted(arguments.model, arguments.rank, arguments.checkpointing)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "logging.jsonl").open("w", encoding="utf-8", buffering=1) as log:
        stream = batches(rows, arguments.batch, tokenizer.pad_token_id)
        for step, batch in enumerate(itertools.islice(stream, arguments.steps), 1):
            loss = model(**batch).loss
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            line = {
                "step": step,
                "loss": loss.item(),
                "gradientNorm": norm.item(),
                "tokens": int(batch["attention_mask"].sum()),
                "paddedTokens": batch["attention_mask"].numel(),
                "supervisedTokens": int((batch["labels"] != -100).sum()),
            }
            log.write(json.dumps(line) + "\n")
    model.save_pretrained(arguments.out / "adapter")


if __name__ == "__main__":
    main()
