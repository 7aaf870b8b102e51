package dev.finetune.trainer.cli;

import static dev.finetune.trainer.cli.NotedFlag.any;
import static dev.finetune.trainer.cli.NotedFlag.only;

import java.util.List;
import java.util.Set;

/** The flags of ms-swift that change nothing here, with what holds in their place. */
final class NotedFlags {
  private static final Set<String> TRUE = Set.of("true", "1", "yes", "");
  private static final Set<String> FALSE = Set.of("false", "0", "no");
  private static final String ROWS = "rows are read and tokenised once, over all processors";

  static final List<NotedFlag> ALL =
      List.of(
          any("the architecture is read from the model's config.json", "--model_type"),
          any(
              "the fastest attention that the device has is used",
              "--use_flash_attn",
              "--attn_impl"),
          only(
              Set.of("peft"),
              "the adapter has PEFT's format",
              "leave it out; the adapter has PEFT's format",
              "--tuner_backend"),
          any(ROWS, "--lazy_tokenize", "--preprocess_num_proc", "--dataset_num_proc"),
          any(ROWS, "--dataloader_num_workers", "--dataloader_pin_memory"),
          any(ROWS, "--dataloader_persistent_workers", "--dataloader_prefetch_factor"),
          any(ROWS, "--load_from_cache_file"),
          any("a data set may be larger than memory in any case", "--streaming"),
          any("columns that the format doesn't name are left alone", "--remove_unused_columns"),
          any(
              "evaluation takes the training's batch size, on which its loss doesn't depend",
              "--per_device_eval_batch_size",
              "--eval_batch_size"),
          any("a token mean is what accuracy is", "--acc_strategy"),
          only(
              Set.of("steps", "epoch"),
              "evaluates after --eval_steps steps, at every epoch's end and with every checkpoint",
              "use --split_dataset_ratio 0 to train without validation",
              "--eval_strategy",
              "--evaluation_strategy"),
          only(
              Set.of("steps", "epoch"),
              "saves after --save_steps steps and at every epoch's end",
              "a run that saves nothing has no result; leave it out",
              "--save_strategy"),
          only(
              Set.of("loss", "eval_loss"),
              "the best checkpoint is that of the lowest validation loss",
              "the best checkpoint is that of the lowest validation loss; leave it out",
              "--metric_for_best_model"),
          only(FALSE, "the lowest loss is the best", "leave it out", "--greater_is_better"),
          any(
              "a checkpoint always has all that a resume needs",
              "--save_only_model",
              "--only_save_model"),
          any("the model is written as safetensors", "--save_safetensors", "--safe_serialization"),
          any("rank 0 writes for all", "--save_on_each_node"),
          only(
              FALSE,
              "the destination is --output_dir itself",
              "the destination is --output_dir itself; leave it out",
              "--add_output_dir_suffix",
              "--add_version"),
          only(
              Set.of("tensorboard", "none", "all"),
              "TensorBoard files are written, and logging.jsonl",
              "point it at the TensorBoard files or logging.jsonl; leave it out",
              "--report_to"),
          any("TensorBoard's files go to runs/ in --output_dir", "--logging_dir"),
          any("the first step is always logged", "--logging_first_step"),
          any("a progress bar is shown on a terminal only", "--disable_tqdm"),
          any("tokens are counted in any case", "--include_num_input_tokens_seen"),
          only(
              Set.of("adamw_torch", "adamw_torch_fused", "adamw", "adamw_hf"),
              "AdamW as PyTorch's, fused",
              "the optimizer is AdamW; leave it out",
              "--optim"),
          any("the loss is a mean over the tokens of all ranks", "--average_tokens_across_devices"),
          any("NCCL connects GPUs and Gloo CPUs", "--ddp_backend"),
          any(
              "the ranks' gradients are summed once for each optimizer step",
              "--ddp_find_unused_parameters",
              "--ddp_broadcast_buffers"),
          only(
              Set.of("zero0", "zero1", "zero2", "default-zero2"),
              "the optimizer's state is spread over the ranks as with ZeRO stage 1",
              "use --parallelism Layers for a model that one device can't hold",
              "--deepspeed"),
          any("layers are computed again one by one", "--gradient_checkpointing_kwargs"),
          any(
              "the head works on the supervised tokens only, a part at a time",
              "--use_liger_kernel"),
          any("a run on a CPU is the same to the last bit", "--full_determinism"),
          any("the noise is drawn in the trainer's own script", "--neftune_backend"),
          any("the adapter is float32", "--lora_dtype"),
          only(
              Set.of("none"),
              "biases stay frozen",
              "biases stay frozen; leave it out",
              "--lora_bias",
              "--lora_bias_trainable"),
          only(
              Set.of("bnb", "bitsandbytes"),
              "NF4 has bitsandbytes' format",
              "use --quant_bits 4, which is NF4",
              "--quant_method"),
          only(Set.of("nf4"), "four bits are NF4", "use nf4", "--bnb_4bit_quant_type"),
          only(TRUE, "scales are quantised too", "leave it out", "--bnb_4bit_use_double_quant"),
          any(
              "what is stored in four bits is computed with in --torch_dtype",
              "--bnb_4bit_compute_dtype",
              "--bnb_4bit_comp_dtype",
              "--bnb_4bit_quant_storage"),
          only(
              Set.of("causal_lm"),
              "language models are tuned",
              "only language models are tuned",
              "--task_type"),
          only(FALSE, "nothing is uploaded", "upload the result yourself", "--push_to_hub"),
          only(
              FALSE,
              "rows don't overlap",
              "use --packing, which leaves no padding",
              "--padding_free"),
          only(FALSE, "float16 isn't used", "use --torch_dtype bfloat16 or float32", "--fp16"),
          any("the program needs no check for updates", "--check_model_is_latest"),
          any("an unknown flag is always an error", "--ignore_args_error"),
          any("what memory is needed is printed before training", "--test_oom_error"));

  private NotedFlags() {}
}
