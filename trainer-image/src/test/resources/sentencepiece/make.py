# Makes the folders beside it, anew:
#   pip install sentencepiece==0.2.3 transformers==4.49.0 protobuf
#   python make.py FOLDER
# FOLDER has tokenization_internlm2.py and tokenization_internlm2_fast.py of the published InternLM2 models, the fast one in
# the form whose decoder strips a space only where the model has a dummy prefix. Each folder made is what a published model
# has: tokenizer.model and JSON files, without tokenizer.json. expected.json is what the fast tokenizer that transformers
# makes of it gives ("starts": the code point that each token begins at) and, as "spm", the ids of the sentencepiece library
# (null where the text has special tokens, which that doesn't know).
import importlib
import io
import json
import random
import shutil
import sys
from pathlib import Path

import sentencepiece
from transformers import LlamaTokenizerFast, GemmaTokenizerFast
from transformers.convert_slow_tokenizer import SpmConverter

HERE = Path(__file__).parent
SOURCE = Path(sys.argv[1])

WORDS = (
    "the a model river stone light number water time people who learn to speak of small great things and some other "
    "words that come again while nobody looks at them in the evening when all is quiet token tokens tokenizer training "
    "data quickly slowly 2024 17 300 3.14 hello world Hello World def return if else for int string naïve café "
    "你好 世界 模型 语言 学习 水 火 人 大 小"
).split()
random.seed(7)
LINES = [" ".join(random.choices(WORDS, k=random.randint(3, 14))) + random.choice([".", "!", "?", ""]) for _ in range(3000)]
LINES += ["    if x:\treturn  y"] * 30 + ["\tdef f():\t\tpass"] * 30

TEXTS = [
    "", " ", "  ", "   ", "a", " a", "a ", "  a  ", "hello world", " hello world", "hello  world", "hello   world  ",
    "Hello World!", "\n", "\n\n", "hello\nworld", "hello\n\n world\n", "\thello", "a\t\tb", "    if x:\n        return y\n",
    "def f():\n\tpass", "naïve café", "cafe\u0301 ﬁne ① Å", "你好世界", "你好，世界！", "模型 学习 zebra", "日本語のテキスト", "🌊", "a 🌊 b",
    "👩‍👩‍👧 family", "Zürich Ωmega ßtraße", "\u0000 null", "\u200b zero width", "▁ underline ▁▁", "3.14159 and 2,024",
    "<s>", "<s>hello", "<s> hello", "hello</s>", "hello </s> world", "<unk> thing", "a<s>b</s>c", "</s></s>",
    "<0x0A>", "<s>\n", "the tokenizer's training-data: 300 tokens (quickly)", "word" * 20, "ﷺ and ™",
]
CHAT = [
    "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", "<|im_start|> user", "a <|im_start|> b", "<|im_end|>世界",
    "<img><IMG_CONTEXT><IMG_CONTEXT></img>\nhello", " <img>", "<box>x</box>", "x <box> y", "[UNUSED_TOKEN_1]",
]
USER = ["<sep>", "a<sep>b", "a <sep> b", "<sep>hello", "<ctl>x", "hello<ctl> world", "x <pad> y", "<extra> x", "a<extra>", "<mask>m"]


def train(name, **settings):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=model, minloglevel=2, num_threads=1, max_sentence_length=10000, **settings
    )
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    return folder


BPE = dict(
    model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
    allow_whitespace_only_pieces=True, split_digits=True, character_coverage=0.995, max_sentencepiece_length=12,
)


def save(folder, name, value):
    (folder / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def added(content, special=True, **flags):
    token = dict(content=content, lstrip=False, normalized=not special, rstrip=False, single_word=False, special=special)
    return {**token, **flags}


def expected(folder, tokenizer, texts, special):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    backend = tokenizer if not hasattr(tokenizer, "backend_tokenizer") else tokenizer.backend_tokenizer
    rows = []
    for text in texts:
        plain = backend.encode(text, add_special_tokens=False)
        rows.append(
            dict(
                text=text,
                ids=plain.ids,
                starts=[start for start, _ in plain.offsets],
                with_special=backend.encode(text, add_special_tokens=True).ids,
                decoded=backend.decode(plain.ids, skip_special_tokens=False),
                decoded_without_special=backend.decode(plain.ids, skip_special_tokens=True),
                spm=None if any(token in text for token in special) else processor.encode(text),
            )
        )
    lines = ",\n ".join(json.dumps(row) for row in rows)
    (folder / "expected.json").write_text("[" + lines + "]\n")


SPECIAL = ["<s>", "</s>", "<unk>"]

# Llama 2's folders of before added_tokens_decoder: special_tokens_map.json and added_tokens.json.
folder = train("llama", vocab_size=480, **BPE)
size = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")).vocab_size()
save(folder, "tokenizer_config.json", dict(tokenizer_class="LlamaTokenizer", bos_token=added("<s>"), eos_token="</s>", unk_token="<unk>"))
save(folder, "special_tokens_map.json", dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>",
     additional_special_tokens=["<ctl>", "<mask>"]))
save(folder, "added_tokens.json", {"<sep>": size, "<ctl>": size + 1, "<extra>": size + 2, "<pad>": size + 3})
fast = LlamaTokenizerFast.from_pretrained(folder)
expected(folder, fast, TEXTS + USER, SPECIAL + ["<sep>", "<ctl>", "<extra>", "<pad>", "<mask>"])

# Llama's with legacy: false, tokens for the end too and all flags of added tokens; the pieces have a user-defined and a control one.
folder = train("llama-not-legacy", vocab_size=500, user_defined_symbols=["<sep>", "  "], control_symbols=["<ctl>"], **BPE)
size = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")).vocab_size()
save(folder, "tokenizer_config.json", dict(
    tokenizer_class="LlamaTokenizer", bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>", legacy=False,
    add_eos_token=True, added_tokens_decoder={"0": added("<unk>"), "1": added("<s>"), "2": added("</s>"),
    str(size): added("<extra>", special=False, lstrip=True), str(size + 1): added("<mask>", rstrip=True),
    str(size + 2): added("<pad>", special=False, single_word=True)}))
fast = LlamaTokenizerFast.from_pretrained(folder)
expected(folder, fast, TEXTS + USER, SPECIAL + ["<sep>", "<ctl>", "<extra>", "<pad>", "<mask>", "  "])

# InternLM2's and InternVL2's: unused pieces get a name, and tokens are added behind.
for name, prefix in [("internlm2", False), ("internlm2-dummy-prefix", True)]:
    unused = [f"[UNUSED_TOKEN_{i}]" for i in range(4)]
    folder = train(name, vocab_size=460, add_dummy_prefix=prefix, user_defined_symbols=unused, **BPE)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    size = processor.vocab_size()
    names = {"0": "<unk>", "1": "<s>", "2": "</s>", str(processor.piece_to_id("[UNUSED_TOKEN_2]")): "<|im_end|>",
             str(processor.piece_to_id("[UNUSED_TOKEN_3]")): "<|im_start|>"}
    extra = ["<img>", "</img>", "<IMG_CONTEXT>", "<box>", "</box>"]
    names |= {str(size + i): token for i, token in enumerate(extra)}
    save(folder, "tokenizer_config.json", dict(
        added_tokens_decoder={i: added(token) for i, token in names.items()},
        additional_special_tokens=["<|im_start|>", "<|im_end|>"] + extra, bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        pad_token="</s>", tokenizer_class="InternLM2Tokenizer"))
    save(folder, "added_tokens.json", {token: size + i for i, token in enumerate(extra)})
    package = folder / "code"
    package.mkdir()
    for file in ["tokenization_internlm2.py", "tokenization_internlm2_fast.py"]:
        shutil.copy(SOURCE / file, package)
    (package / "__init__.py").write_text("")
    sys.path.insert(0, str(folder))
    sys.modules.pop("code", None)
    fast = importlib.import_module("code.tokenization_internlm2_fast").InternLM2TokenizerFast.from_pretrained(folder)
    sys.path.pop(0)
    shutil.rmtree(package)
    for module in [m for m in sys.modules if m == "code" or m.startswith("code.")]:
        del sys.modules[module]
    expected(folder, fast, TEXTS + CHAT, SPECIAL + list(names.values()) + unused)

# Gemma's: no dummy prefix, and the tab has the place of its byte.
folder = train("gemma", vocab_size=460, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>",
               eos_piece="<eos>", bos_piece="<bos>", user_defined_symbols=["<start_of_turn>", "<end_of_turn>", "\t\t"], **BPE)
save(folder, "tokenizer_config.json", dict(tokenizer_class="GemmaTokenizer"))
fast = GemmaTokenizerFast.from_pretrained(folder)
turns = ["<start_of_turn>user\nhello<end_of_turn>\n", "<bos>a", "a<eos>", "\t\t\t"]
expected(folder, fast, TEXTS + turns, ["<bos>", "<eos>", "<unk>", "<pad>", "<start_of_turn>", "<end_of_turn>", "\t"])


# Llama's class with a Unigram model.
folder = train("llama-unigram", vocab_size=370, **{**BPE, "model_type": "unigram"})
save(folder, "tokenizer_config.json", dict(tokenizer_class="LlamaTokenizerFast", add_bos_token=False, add_eos_token=True))
expected(folder, LlamaTokenizerFast.from_pretrained(folder), TEXTS + USER, SPECIAL)


# A Unigram model whose folder says nothing of a class: the converter that all others derive from.
class Slow:
    def __init__(self, folder):
        self.vocab_file = str(folder / "tokenizer.model")


folder = train("unigram", model_type="unigram", vocab_size=120, normalization_rule_name="nmt_nfkc", user_defined_symbols=["<sep>"],
               control_symbols=["<ctl>"], character_coverage=0.995)
converted = SpmConverter(Slow(folder)).converted()
converted.add_special_tokens(["<s>", "</s>", "<unk>"])
expected(folder, converted, TEXTS + USER[:6], SPECIAL + ["<sep>", "<ctl>"])
