"""Converts a GGUF file to a folder in Hugging Face's layout with float32 weights.

usage: convert_gguf.py FILE.gguf DIRECTORY

The weights are dequantized once; the tokenizer and the chat template come from the file's own fields.
"""

import argparse
import json
import pathlib

import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

# The GGUF loader writes GPT-2's pre-tokenizer for every byte-level BPE; these split digits first.
PRE_TOKENIZERS = {
    "smollm": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    }
}
QUANTIZATION_MARKS = ("quantization_method", "quantization_config", "is_quantized", "_pre_quantization_dtype")


def load(gguf):
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.float32,
        quantization_config=GgufConfig(gguf_file=gguf.name, dequantize=True),
    )
    model.config.dtype = torch.float32
    # transformers 5 refuses to save a model that was loaded from GGUF, though it is dequantized by now.
    model.hf_quantizer = None
    for holder in (model, model.config):
        for name in QUANTIZATION_MARKS:
            if name in getattr(holder, "__dict__", {}):
                delattr(holder, name)
    return model


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    gguf, out = arguments.gguf.resolve(), arguments.out
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    load(gguf).save_pretrained(out)
    tokenizer.save_pretrained(out)
    edit(out / "tokenizer_config.json", lambda config: config.setdefault("chat_template", tokenizer.chat_template))
    name = GGUFReader(str(gguf)).fields["tokenizer.ggml.pre"].contents()
    if name in PRE_TOKENIZERS:
        edit(out / "tokenizer.json", lambda content: content.update(pre_tokenizer=PRE_TOKENIZERS[name]))


if __name__ == "__main__":
    main()
