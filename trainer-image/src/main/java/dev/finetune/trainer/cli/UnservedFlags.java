package dev.finetune.trainer.cli;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The flags of ms-swift that this version doesn't serve, and what to use in their place. */
final class UnservedFlags {
  private static final String DOWNLOAD = "download the model and give its folder to --model";
  private static final String OWN_MODULES =
      "embed_tokens and lm_head can be --target_modules of LoRA; leave it out";
  private static final String LAST_LAYERS = "use --train_type full with --last_layers N";
  private static final String RESUMED = "the newest checkpoint in --output_dir is resumed";
  private static final String UPLOAD = "upload the result yourself; leave it out";
  private static final String SAMPLE = "use --dataset PATH#N";
  private static final String GREEDY = "scored answers take the likeliest token; leave it out";
  private static final String NOT_A_METHOD =
      "there are --train_type lora, full, adapter, ia3, prefix_tuning and prompt_tuning";
  private static final String ONE_RATE =
      "use --learning_rate, which all parts of a model for pictures have";
  private static final String ALL_PARTS =
      "all parts of a model for pictures are trained with the same settings; leave it out";

  private static final Map<String, String> ADVICE = advice();

  private static final Map<String, String> FAMILIES =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("--adalora_", NOT_A_METHOD),
              Map.entry("--boft_", NOT_A_METHOD),
              Map.entry("--fourier_", NOT_A_METHOD),
              Map.entry("--galore_", NOT_A_METHOD),
              Map.entry("--lisa_", NOT_A_METHOD),
              Map.entry("--llamapro_", NOT_A_METHOD),
              Map.entry("--lora_ga_", NOT_A_METHOD),
              Map.entry("--reft_", NOT_A_METHOD),
              Map.entry("--vera_", NOT_A_METHOD),
              Map.entry("--hub_", UPLOAD),
              Map.entry("--vllm_", "this program trains; serve the result with vLLM itself"),
              Map.entry("--vit_", ALL_PARTS),
              Map.entry("--aligner_", ALL_PARTS)));

  private UnservedFlags() {}

  private static Map<String, String> advice() {
    Map<String, String> advice = new TreeMap<>();
    advice.put("--config", "put a recipe into a file and give it to --recipe");
    advice.put("--model_revision", "download that revision and give its folder to --model");
    advice.put("--model_cache_dir", DOWNLOAD);
    advice.put("--use_hf", DOWNLOAD);
    advice.put("--download_mode", DOWNLOAD);
    advice.put("--local_repo_path", DOWNLOAD);
    advice.put("--model_layer_cls_name", "layers are known by the architecture; leave it out");
    advice.put("--model_kwargs", "use --max_tiles, which is max_num");
    advice.put("--rope_scaling", "set rope_scaling in the model's config.json");
    advice.put("--max_model_len", "set max_position_embeddings in the model's config.json");
    advice.put("--new_special_tokens", "add the tokens to the model and its tokenizer before");
    advice.put("--init_strategy", "every weight must be in the model's files; leave it out");
    advice.put("--num_labels", "only language models are tuned");
    advice.put("--problem_type", "only language models are tuned");
    advice.put("--custom_register_path", "no code is loaded; give the files to --dataset");
    advice.put("--external_plugins", "no code is loaded; leave it out");
    advice.put("--cached_dataset", "rows are tokenised within the run; give them to --dataset");
    advice.put("--interleave_prob", "set dataset.train[].weight in a recipe");
    advice.put("--stopping_strategy", "set dataset.train[].weight in a recipe");
    advice.put("--train_dataset_mix_ratio", "set dataset.train[].weight in a recipe");
    advice.put("--train_dataset_mix_ds", "set dataset.train[].weight in a recipe");
    advice.put("--shuffle_buffer_size", "all rows are shuffled, however many; leave it out");
    advice.put("--val_dataset_shuffle", "the loss doesn't depend on the order; leave it out");
    advice.put("--train_dataloader_shuffle", "use --dataset_shuffle");
    advice.put("--data_seed", "use --seed");
    advice.put("--dataset_seed", "use --seed");
    advice.put("--train_dataset_sample", SAMPLE);
    advice.put("--val_dataset_sample", "use --val_dataset PATH#N");
    advice.put("--num_train_samples", SAMPLE);
    advice.put("--self_cognition_sample", "give rows of your own to --dataset");
    advice.put("--model_name", "give rows of your own to --dataset");
    advice.put("--model_author", "give rows of your own to --dataset");
    advice.put("--use_loss_scale", "use --loss_scale default, last_round or all");
    advice.put("--agent_template", "give tools and their calls as the chat template has them");
    advice.put("--use_chat_template", "rows with a text column need no chat template");
    advice.put("--template_backend", "the chat template is the model's own; leave it out");
    advice.put("--response_prefix", "the chat template is the model's own; leave it out");
    advice.put("--padding_side", "padding is on the right, behind what is learnt; leave it out");
    advice.put("--max_pixels", "use --max_tiles");
    advice.put(
        "--norm_bbox",
        "leave it out: boxes are scaled as the form of the column 'objects' says (docs/data.md)");
    advice.put("--vit_lr", ONE_RATE);
    advice.put("--aligner_lr", ONE_RATE);
    advice.put(
        "--vit_gradient_checkpointing", "leave it out: the vision tower is always computed again");
    advice.put("--sequence_parallel_size", "use a smaller --max_length, or --parallelism Layers");
    advice.put("--lora_modules_to_save", OWN_MODULES);
    advice.put("--modules_to_save", OWN_MODULES);
    advice.put("--ia3_modules_to_save", OWN_MODULES);
    advice.put("--target_regex", "list the modules with --target_modules");
    advice.put("--target_parameters", "list the modules with --target_modules");
    advice.put("--freeze_parameters", LAST_LAYERS);
    advice.put("--freeze_parameters_ratio", LAST_LAYERS);
    advice.put("--freeze_parameters_regex", LAST_LAYERS);
    advice.put("--trainable_parameters", LAST_LAYERS);
    advice.put("--trainable_parameters_regex", LAST_LAYERS);
    advice.put("--additional_trainable_parameters", LAST_LAYERS);
    advice.put("--use_galore", NOT_A_METHOD);
    advice.put("--hqq_axis", "use --quant_bits 4, which is NF4");
    advice.put("--device_map", "use --parallelism Layers");
    advice.put("--device_map_config_path", "use --parallelism Layers");
    advice.put("--max_memory", "use --device_max_memory, such as 15GB 15GB");
    advice.put("--gpu_memory_fraction", "use --device_max_memory, such as 15GB");
    advice.put("--deepspeed_config_path", "use --deepspeed zero1, or --parallelism Layers");
    advice.put("--deepspeed_autotp_size", "use --parallelism Layers");
    advice.put("--zero_hpz_partition_size", "use --parallelism Layers");
    advice.put("--fsdp", "use --parallelism Layers for a model that one device can't hold");
    advice.put("--fsdp_config", "use --parallelism Layers for a model that one device can't hold");
    advice.put("--use_ray", "run it as a FineTuneJob of several nodes");
    advice.put("--ray_exp_name", "run it as a FineTuneJob of several nodes");
    advice.put("--device_groups", "run it as a FineTuneJob of several nodes");
    advice.put("--lr_scheduler_kwargs", "the schedules are constant, linear and cosine");
    advice.put("--max_epochs", "use --num_train_epochs");
    advice.put("--resume_from_checkpoint", RESUMED);
    advice.put("--resume_only_model", RESUMED + " whole");
    advice.put("--ignore_data_skip", RESUMED + " where it was");
    advice.put("--adapters", RESUMED);
    advice.put("--load_args", "recipe.yaml in the destination has them; give it to --recipe");
    advice.put("--load_data_args", "recipe.yaml in the destination has them; give it to --recipe");
    advice.put("--push_hub_strategy", UPLOAD);
    advice.put(
        "--create_checkpoint_symlink", "the best checkpoint becomes the result; leave it out");
    advice.put("--router_aux_loss_coef", "mixtures of experts aren't supported; leave it out");
    advice.put("--enable_dft_loss", "the loss is the cross-entropy; leave it out");
    advice.put("--enable_channel_loss", "the loss is the cross-entropy; leave it out");
    advice.put("--do_sample", GREEDY);
    advice.put("--temperature", GREEDY);
    advice.put("--top_k", GREEDY);
    advice.put("--top_p", GREEDY);
    advice.put("--repetition_penalty", GREEDY);
    advice.put("--num_beams", GREEDY);
    return advice;
  }

  /** What to use instead of a flag that ms-swift has and this version doesn't. */
  static Optional<String> adviceFor(String flag) {
    return Optional.ofNullable(ADVICE.get(flag))
        .or(
            () ->
                FAMILIES.entrySet().stream()
                    .filter(family -> flag.startsWith(family.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst());
  }

  /** Families of flags, by what their names begin with. */
  static Map<String, String> families() {
    return FAMILIES;
  }

  static Collection<String> names() {
    return ADVICE.keySet();
  }
}
