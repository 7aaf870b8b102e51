"""The same as check.py for models that look at pictures: PEFT and transformers on what the trainer wrote.

usage: pictures.py --trainer COMMAND --golden DIR --work DIR

Tunes tiny InternVL models in transformers' layout on rows with pictures, and compares the logits of a
prompt with a picture, whose tiles are the reference's.
"""

import shutil
import sys

import torch
from check import Run, Table, check_safetensors, parse_arguments
from peft import PeftModel
from safetensors.torch import load_file
from transformers import InternVLForConditionalGeneration

MODELS = ("tiny-internvl-qwen2", "tiny-internvl-internlm2")
ALL = ("--freeze_vit", "false")
METHODS = {
    "LoRA": ("--lora_rank", "8"),
    "LoRA with the tower": ("--lora_rank", "8", *ALL),
    "full with the tower": ("--sft_type", "full", *ALL),
}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PictureRun(Run):
    """One tuning of one model on rows with pictures."""

    def __init__(self, arguments, model, method):
        super().__init__(arguments, model, "full" if "full" in method else method)
        self.folder = arguments.golden / "internvl"
        self.base = self.folder / model / "base_hf"
        self.flags = METHODS[method]

    def train(self):
        self.call(
            "sft", "--model", self.base, "--template", "internvl2", "--dataset", self.folder / "data/train.jsonl",
            "--image_folder", self.folder, "--learning_rate", "1e-3" if self.method == "full" else "1e-2",
            "--max_steps", 6, "--batch_size", 2, "--gradient_accumulation_steps", 1, "--warmup_ratio", 0,
            "--split_dataset_ratio", 0, *self.flags, "--output_dir", self.out,
        )  # fmt: skip
        return self

    def logits(self, model, adapter=None):
        file = self.out / "logits.safetensors"
        file.unlink(missing_ok=True)
        more = ["--adapter", adapter] if adapter else []
        self.call(
            "infer", "--model", model, *more, "--template", "internvl2", "--prompt", "Is the picture tall?",
            "--image", self.folder / "images/d.png", "--logits", file,
        )  # fmt: skip
        tensors = load_file(file)
        return tensors["ids.0"], tensors["logits.0"]

    def pixels(self):
        """(tiles, 3, S, S), normalised."""
        tiles = load_file(self.base.parent / "preprocess.safetensors")["d.png.tiles"].float() / 255
        return ((tiles - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(0, 3, 1, 2).contiguous()


def load(folder):
    return InternVLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()


@torch.no_grad()
def difference(model, expected, pixels):
    ids, logits = expected
    return (model(input_ids=ids.view(1, -1), pixel_values=pixels).logits[0] - logits).abs().max().item()


def main():
    arguments = parse_arguments()
    print("Largest difference of a logit of a prompt with a picture:")
    table = Table()
    for name in MODELS:
        for method in METHODS:
            print(f"peers: {name} {method}", file=sys.stderr)
            run = PictureRun(arguments, name, method)
            run.out = arguments.work / name / method.replace(" ", "-")
            shutil.rmtree(run.out, ignore_errors=True)
            run.train()
            check_safetensors(run)
            if run.method == "full":
                own = run.logits(run.result())
                differences = [difference(load(run.result()), own, run.pixels())]
            else:
                own = run.logits(run.base, run.result())
                tuned = PeftModel.from_pretrained(load(run.base), run.result()).eval()
                differences = [difference(tuned, own, run.pixels())]
                merged = run.merge()
                differences.append(difference(load(merged), run.logits(merged), run.pixels()))
            table.add(name, method, differences)
    table.end()


if __name__ == "__main__":
    main()
