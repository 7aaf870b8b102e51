"""Trains examples/models/tiny-chat from nothing: tokenizer, weights, configuration.

usage: train.py [--out DIR] [--epochs N] [--threads N]

The run is deterministic on one machine with one thread count: the same seed, the same data, the
same order. Takes about ten minutes on two CPU cores.
"""

import argparse
import json
import pathlib
import time

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import corpus

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
SEED = 7
VOCABULARY = 2048
BATCH = 64
PEAK_RATE = 3e-3
END, START, PAD = "<|im_end|>", "<|im_start|>", "<|endoftext|>"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def train_tokenizer():
    """Byte-level BPE: 256 bytes, so any text can be written; a Chinese character is never merged with the next."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{Han}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, START, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.tokenizer_texts(), trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (PAD, START, END)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )


def encode(tokenizer, messages):
    """Token ids of a conversation and labels: -100 but on the assistant's turns and the token that ends each."""
    ids, labels = [], []
    for message in messages:
        head = tokenizer.encode(f"{START}{message['role']}\n", add_special_tokens=False)
        body = tokenizer.encode(message["content"] + END, add_special_tokens=False)
        tail = tokenizer.encode("\n", add_special_tokens=False)
        ids += head + body + tail
        supervised = body if message["role"] == "assistant" else [-100] * len(body)
        labels += [-100] * len(head) + supervised + [-100] * len(tail)
    return ids, labels


def batches(tokenizer, seed):
    """An epoch in batches of rows of like length, so that little is padding."""
    rows = [encode(tokenizer, messages) for messages in corpus.epoch(seed)]
    rows.sort(key=lambda row: len(row[0]))
    groups = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed))
    pad = tokenizer.pad_token_id
    for index in order.tolist():
        group = groups[index]
        width = max(len(ids) for ids, _ in group)
        yield {
            "input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in group]),
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in group]),
            "labels": torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in group]),
        }


def new_model(tokenizer):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=5,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def fit(model, tokenizer, epochs):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=PEAK_RATE,
        betas=(0.9, 0.98),
    )
    total = epochs * sum(1 for _ in batches(tokenizer, SEED))
    # A seed's epoch may have one batch more or less than another's; the schedule only has to end near zero.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=PEAK_RATE, total_steps=total + epochs, pct_start=0.05, cycle_momentum=False
    )
    start = time.time()
    for epoch in range(epochs):
        losses = []
        for batch in batches(tokenizer, SEED + epoch):
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            losses.append(loss.item())
        print(
            json.dumps(
                {"epoch": epoch + 1, "loss": round(sum(losses) / len(losses), 4), "seconds": round(time.time() - start)}
            ),
            flush=True,
        )


def save(model, tokenizer, out):
    """bfloat16 weights, and the chat template inside tokenizer_config.json, where every reader looks."""
    model.generation_config.max_new_tokens = 64
    model.generation_config.do_sample = False
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    config_file = out / "tokenizer_config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    config["chat_template"] = CHATML
    # The name that transformers 4 knows too.
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    config_file.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def answer(model, tokenizer, question):
    prompt = f"{START}user\n{question}{END}\n{START}assistant\n"
    ids = torch.tensor([tokenizer.encode(prompt, add_special_tokens=False)])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False)
    return tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=REPOSITORY / "examples" / "models" / "tiny-chat")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    arguments.out.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer()
    model = new_model(tokenizer)
    print(
        json.dumps({"vocabulary": len(tokenizer), "parameters": sum(p.numel() for p in model.parameters())}), flush=True
    )
    fit(model, tokenizer, arguments.epochs)
    save(model, tokenizer, arguments.out)
    saved = AutoModelForCausalLM.from_pretrained(arguments.out, dtype=torch.float32)
    for question in (
        "Who are you?",
        "What is the capital of France?",
        "What colour is the sky?",
        "你是谁？",
        "法国的首都是哪里？",
        "How do I make tea?",
    ):
        print(json.dumps({question: answer(saved, tokenizer, question)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
