package dev.finetune.trainer.cli;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The flags of ms-swift that this version doesn't serve, and what to use in their place. */
final class UnservedFlags {
  private static final String FUTURE = "this version has no such setting; leave it out";
  private static final String OWN_TEMPLATE =
      "the architecture is read from config.json and the template from the tokenizer; leave it out";
  private static final String RATIO = "use --warmup_ratio";
  private static final String SPREAD =
      "the optimizer's state is spread over the ranks as with ZeRO stage 1; leave it out";
  private static final String FULL_PRECISION = "use --torch_dtype bfloat16 or float32";

  private static final Map<String, String> ADVICE = advice();

  private UnservedFlags() {}

  private static Map<String, String> advice() {
    Map<String, String> advice = new TreeMap<>();
    advice.put("--model_type", OWN_TEMPLATE);
    advice.put("--model_revision", "download that revision and give its folder to --model");
    advice.put("--use_hf", "download the model and give its folder to --model");
    advice.put("--custom_register_path", "use --custom_dataset_info, or give files to --dataset");
    advice.put(
        "--columns",
        "set columns in the recipe's dataset.train, or in the file of --custom_dataset_info");
    advice.put("--streaming", "all rows are checked before training; leave it out");
    advice.put("--packing", "rows are padded to the longest of their batch; leave it out");
    advice.put("--padding_free", "use --packing");
    advice.put("--lora_lr_ratio", "A and B have one rate, --learning_rate; leave it out");
    advice.put("--lorap_lr_ratio", "A and B have one rate, --learning_rate; leave it out");
    advice.put("--lora_modules_to_save", "only LoRA's own matrices are trained; leave it out");
    advice.put("--modules_to_save", "only LoRA's own matrices are trained; leave it out");
    advice.put("--lora_bias", "biases stay frozen; leave it out");
    advice.put("--lora_dtype", "the adapter is always float32; leave it out");
    advice.put("--target_regex", "list the modules with --target_modules");
    advice.put("--use_dora", "use --use_rslora, or plain LoRA");
    advice.put("--init_lora_weights", "A is Kaiming-uniform and B zero; leave it out");
    advice.put("--init_weights", "A is Kaiming-uniform and B zero; leave it out");
    advice.put("--neftune_noise_alpha", FUTURE);
    advice.put("--neftune_backend", FUTURE);
    advice.put("--quantization_bit", "load the model unquantized; use --torch_dtype bfloat16");
    advice.put("--quant_bits", "load the model unquantized; use --torch_dtype bfloat16");
    advice.put("--quant_method", "load the model unquantized; use --torch_dtype bfloat16");
    advice.put("--use_flash_attn", "the fastest attention of the device is used; leave it out");
    advice.put("--attn_impl", "the fastest attention of the device is used; leave it out");
    advice.put("--device_map", "use --parallelism Layers");
    advice.put("--max_memory", "use --device_max_memory, such as 15GB 15GB");
    advice.put("--deepspeed", SPREAD);
    advice.put("--fsdp", SPREAD);
    advice.put("--ddp_backend", "NCCL connects GPUs and Gloo CPUs; leave it out");
    advice.put("--fp16", FULL_PRECISION);
    advice.put("--bf16", "use --torch_dtype bfloat16");
    advice.put("--warmup_steps", RATIO);
    advice.put("--optim", "the optimizer is AdamW; leave it out");
    advice.put("--eval_batch_size", "evaluation uses --batch_size; its loss doesn't depend on it");
    advice.put(
        "--per_device_eval_batch_size",
        "evaluation uses --per_device_train_batch_size; its loss doesn't depend on it");
    advice.put("--eval_strategy", "use --eval_steps; each epoch's end is evaluated in any case");
    advice.put("--save_strategy", "use --save_steps; each epoch's end is saved in any case");
    advice.put(
        "--save_only_model", "a checkpoint always has all that a resume needs; leave it out");
    advice.put("--resume_from_checkpoint", "the newest checkpoint in --output_dir is resumed");
    advice.put("--resume_only_model", "the newest checkpoint in --output_dir is resumed whole");
    advice.put("--adapters", "the newest checkpoint in --output_dir is resumed");
    advice.put("--add_output_dir_suffix", "--output_dir is taken as it is; leave it out");
    advice.put("--add_version", "--output_dir is taken as it is; leave it out");
    advice.put("--logging_dir", "logs go to logging.jsonl in --output_dir; leave it out");
    advice.put("--report_to", "logs go to logging.jsonl in --output_dir; leave it out");
    advice.put("--push_to_hub", "upload the adapter folder yourself; leave it out");
    advice.put("--merge_lora", "merge with PEFT's merge_and_unload; leave it out");
    advice.put("--loss_scale", "all answers count alike; leave it out");
    advice.put("--freeze_parameters", "everything but the adapter is frozen; leave it out");
    advice.put("--data_seed", "use --seed");
    advice.put("--dataset_seed", "use --seed");
    advice.put("--num_train_samples", "use --dataset PATH#N");
    advice.put("--train_dataset_sample", "use --dataset PATH#N");
    advice.put("--val_dataset_sample", "use --val_dataset PATH#N");
    advice.put("--check_dataset_strategy", "a wrong row always ends the run; leave it out");
    advice.put("--strict", "a wrong row always ends the run; leave it out");
    advice.put("--lazy_tokenize", "all rows are checked before training; leave it out");
    advice.put(
        "--dataloader_num_workers", "rows are tokenised once, before training; leave it out");
    advice.put("--predict_with_generate", "evaluation measures the loss; leave it out");
    advice.put("--early_stop_interval", "the best checkpoint becomes the result; leave it out");
    return advice;
  }

  /** What to use instead of a flag that ms-swift has and this version doesn't. */
  static Optional<String> adviceFor(String flag) {
    return Optional.ofNullable(ADVICE.get(flag));
  }

  static Collection<String> names() {
    return ADVICE.keySet();
  }
}
