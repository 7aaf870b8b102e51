package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;

/** The adapter's README: where it comes from and how it is served. */
final class ServingGuide {
  /** The values that vLLM's --max-lora-rank takes. */
  private static final int[] VLLM_RANKS = {1, 8, 16, 32, 64, 128, 256, 320, 512};

  private ServingGuide() {}

  static String markdown(Path checkpoint, Checkpoint summary) throws IOException {
    JsonNode config = Json.read(checkpoint.resolve(CheckpointStore.ADAPTER_CONFIG), JsonNode.class);
    String base = config.path("base_model_name_or_path").asText();
    return """
    ---
    library_name: peft
    base_model: %s
    ---

    # %s

    From step %d (epoch %.2f)%s. It belongs to the base model `%s`;
    where that lies elsewhere, give its place instead.

    %s
    `manifest.json` has the size and SHA-256 of each file, `trainer_state.json` the run that made them.
    """
        .formatted(
            base,
            title(config),
            summary.step(),
            summary.epoch(),
            evalLoss(summary),
            base,
            config.path("peft_type").asText().equals("BOTTLENECK") ? trainer(base) : peft(config));
  }

  private static String title(JsonNode config) {
    return switch (config.path("peft_type").asText()) {
      case "IA3" -> "IA3 adapter";
      case "PREFIX_TUNING" -> "Prefix of %d positions".formatted(virtualTokens(config));
      case "PROMPT_TUNING" -> "Prompt of %d positions".formatted(virtualTokens(config));
      case "BOTTLENECK" -> "Bottleneck adapters";
      default -> "LoRA adapter of rank %d".formatted(config.path("r").asInt());
    };
  }

  private static int virtualTokens(JsonNode config) {
    return config.path("num_virtual_tokens").asInt();
  }

  /** PEFT has no bottleneck adapters. */
  private static String trainer(String base) {
    return """
    ## With this trainer

    ```sh
    trainer infer --model %s --adapter path/to/this/folder --prompt "..."
    ```
    """
        .formatted(base);
  }

  private static String peft(JsonNode config) {
    String base = config.path("base_model_name_or_path").asText();
    return """
    ## With PEFT

    ```python
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained("%s")
    model = AutoModelForCausalLM.from_pretrained("%s")
    model = PeftModel.from_pretrained(model, "path/to/this/folder")
    ```

    ## With vLLM

    %s
    """
        .formatted(base, base, vllm(config, base));
  }

  private static String vllm(JsonNode config, String base) {
    if (!config.path("peft_type").asText().equals("LORA")) {
      return "vLLM serves LoRA adapters only.";
    }
    return config.path("use_dora").asBoolean(false)
        ? "vLLM doesn't serve DoRA."
        : vllm(base, largestRank(config));
  }

  private static int largestRank(JsonNode config) {
    int largest = config.path("r").asInt();
    for (JsonNode rank : config.path("rank_pattern")) {
      largest = Math.max(largest, rank.asInt());
    }
    return largest;
  }

  private static String evalLoss(Checkpoint summary) {
    return summary.evalLoss() == null
        ? ""
        : String.format(Locale.ROOT, ", validation loss %.4f", summary.evalLoss());
  }

  private static String vllm(String base, int rank) {
    return IntStream.of(VLLM_RANKS)
        .filter(served -> served >= rank)
        .mapToObj(
            served ->
                """
                ```sh
                vllm serve %s --enable-lora --max-lora-rank %d \\
                  --lora-modules tuned=path/to/this/folder
                ```\
                """
                    .formatted(base, served))
        .findFirst()
        .orElse("vLLM serves ranks up to %d, this one is %d.".formatted(512, rank));
  }
}
