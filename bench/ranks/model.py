"""Writes a Llama of SmolLM2-135M's shape with random weights: speed and memory don't depend on the values.

usage: model.py TOKENIZER-FOLDER FOLDER
"""

import json
import os
import pathlib
import shutil
import struct
import sys

HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS, HEAD, VOCABULARY = 576, 1536, 30, 9, 3, 64, 49152

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "head_dim": HEAD,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 2048,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "rope_theta": 100000.0,
    "tie_word_embeddings": True,
    "bos_token_id": None,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "dtype": "bfloat16",
}

# A bfloat16 of +-0.016 to 0.031: sign and mantissa are random, the exponent isn't.
LOW = bytes(0x80 | (byte & 0x7F) for byte in range(256))
HIGH = bytes(0x3C | (byte & 0x80) for byte in range(256))


def shapes():
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        yield layer + "input_layernorm.weight", (HIDDEN,)
        yield layer + "self_attn.q_proj.weight", (HEADS * HEAD, HIDDEN)
        yield layer + "self_attn.k_proj.weight", (KV_HEADS * HEAD, HIDDEN)
        yield layer + "self_attn.v_proj.weight", (KV_HEADS * HEAD, HIDDEN)
        yield layer + "self_attn.o_proj.weight", (HIDDEN, HEADS * HEAD)
        yield layer + "post_attention_layernorm.weight", (HIDDEN,)
        yield layer + "mlp.gate_proj.weight", (INTERMEDIATE, HIDDEN)
        yield layer + "mlp.up_proj.weight", (INTERMEDIATE, HIDDEN)
        yield layer + "mlp.down_proj.weight", (HIDDEN, INTERMEDIATE)
    yield "model.norm.weight", (HIDDEN,)


def values(shape):
    if len(shape) == 1:
        return bytes((0x80, 0x3F)) * shape[0]
    count = shape[0] * shape[1]
    mixed = bytearray(2 * count)
    mixed[0::2] = os.urandom(count).translate(LOW)
    mixed[1::2] = os.urandom(count).translate(HIGH)
    return mixed


def main(tokenizer, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes():
        end = offset + 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape in shapes():
            file.write(values(shape))
    # Last: its presence says that the model is complete.
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
