"""Trains examples/models/tiny-chat from nothing: tokenizer, weights, configuration.

usage: train.py [--out DIR] [--threads N] [--from DIR]

Two stages: first chats alone, until the answers are right, then chats and plain text, so that the
model has sentences to speak in when it is tuned. The second starts from the folder that the first
has saved; --from starts there. The run is deterministic on one machine with one thread count: the
same seed, the same data, the same order. Takes about fifteen minutes on two idle CPU cores.
"""

import argparse
import json
import pathlib
import time

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import corpus

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
SEED = 7
VOCABULARY = 2048
BATCH = 64
CHATS = {"epochs": 80, "rate": 3e-3, "prose": False}
CHATS_AND_PROSE = {"epochs": 24, "rate": 1.5e-3, "prose": True}
END, START, PAD = "<|im_end|>", "<|im_start|>", "<|endoftext|>"
QUESTIONS = (
    "Who are you?",
    "What is the capital of France?",
    "What colour is the sky?",
    "你是谁？",
    "法国的首都是哪里？",
    "How do I make tea?",
)
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


def encode(tokenizer, messages, line_breaks=True):
    """Token ids of a conversation and labels: -100 but on the assistant's turns and what ends each."""
    ids, labels = [], []
    for message in messages:
        head = tokenizer.encode(f"{START}{message['role']}\n", add_special_tokens=False)
        body = tokenizer.encode(message["content"] + END, add_special_tokens=False)
        tail = tokenizer.encode("\n", add_special_tokens=False)
        ids += head + body + tail
        supervised = message["role"] == "assistant"
        labels += [-100] * len(head) + (body if supervised else [-100] * len(body))
        labels += tail if supervised and line_breaks else [-100] * len(tail)
    return ids, labels


def batches(tokenizer, seed, prose):
    """An epoch in batches of rows of like length, so that little is padding."""
    rows = [encode(tokenizer, messages, line_breaks=prose) for messages in corpus.epoch(seed)]
    if prose:
        for text in corpus.prose(seed) + corpus.prose(seed + 1000):
            ids = tokenizer.encode(text + PAD, add_special_tokens=False)
            rows.append((ids, ids))
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


def fit(model, tokenizer, epochs, rate, prose):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98)
    )
    total = epochs * sum(1 for _ in batches(tokenizer, SEED, prose))
    # A seed's epoch may have one batch more or less than another's; the schedule only has to end near zero.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=total + epochs, pct_start=0.05, cycle_momentum=False
    )
    start = time.time()
    for epoch in range(epochs):
        losses = []
        for batch in batches(tokenizer, SEED + epoch, prose):
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            losses.append(loss.item())
        line = {
            "prose": prose,
            "epoch": epoch + 1,
            "loss": round(sum(losses) / len(losses), 4),
            "seconds": round(time.time() - start),
        }
        print(json.dumps(line), flush=True)


def save(model, tokenizer, out):
    """bfloat16 weights, and the chat template inside tokenizer_config.json, where every reader looks."""
    model.generation_config.max_new_tokens = 64
    model.generation_config.do_sample = False
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.chat_template = None  # else it is written to a file of its own
    tokenizer.save_pretrained(out)
    config_file = out / "tokenizer_config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    for name in ("backend", "is_local", "local_files_only"):  # of the machine that saved it
        config.pop(name, None)
    config["chat_template"] = CHATML
    # The name that transformers 4 knows too.
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    config_file.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def answer(model, tokenizer, question):
    prompt = f"{START}user\n{question}{END}\n{START}assistant\n"
    ids = torch.tensor([tokenizer.encode(prompt, add_special_tokens=False)])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False)
    return tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def first_stage(out):
    """Tokenizer and model from nothing, saved in out."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer()
    model = new_model(tokenizer)
    print(json.dumps({"vocabulary": len(tokenizer), "parameters": model.num_parameters()}), flush=True)
    fit(model, tokenizer, **CHATS)
    save(model, tokenizer, out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=REPOSITORY / "examples" / "models" / "tiny-chat")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--from", dest="start", type=pathlib.Path, help="folder that the first stage has saved")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    if arguments.start is None:
        first_stage(arguments.out)
    start = arguments.start or arguments.out
    model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(start)
    fit(model, tokenizer, **CHATS_AND_PROSE)
    save(model, tokenizer, arguments.out)
    saved = AutoModelForCausalLM.from_pretrained(arguments.out, dtype=torch.float32)
    for question in QUESTIONS:
        print(json.dumps({question: answer(saved, tokenizer, question)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
