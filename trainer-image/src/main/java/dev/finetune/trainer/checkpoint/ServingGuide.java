package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.trainer.safetensors.SafetensorsHeader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The adapter's README: where it comes from, what was checked, and how it is served. */
final class ServingGuide {
  /** The values that vLLM's --max-lora-rank takes. */
  private static final int[] VLLM_RANKS = {1, 8, 16, 32, 64, 128, 256, 320, 512};

  /** Layers at the ends of the network, whose adapters vLLM doesn't load. */
  private static final Set<String> ENDS =
      Set.of("embed_tokens", "lm_head", "tok_embeddings", "output");

  /** Layers of InternVL's vision tower and projector, in both forms of its folders. */
  private static final Pattern PICTURES =
      Pattern.compile(
          "(.*\\.)?(mlp1\\.\\d|linear_[12]|qkv|proj|fc[12]|projection_layer|attention\\.[qkv]_proj)");

  private ServingGuide() {}

  static String markdown(Path checkpoint, Checkpoint summary) throws IOException {
    JsonNode config = Json.read(checkpoint.resolve(CheckpointStore.ADAPTER_CONFIG), JsonNode.class);
    JsonNode state = Json.read(checkpoint.resolve(CheckpointStore.TRAINER_STATE), JsonNode.class);
    int tensors = SafetensorsHeader.read(checkpoint.resolve(CheckpointStore.ADAPTER_MODEL)).size();
    String base = config.path("base_model_name_or_path").asText();
    return """
        ---
        library_name: peft
        base_model: %1$s
        ---

        # %2$s

        %3$s step %4$d (epoch %5$s)%6$s. It belongs to the base model `%1$s`;
        where that lies elsewhere, give its place instead. %7$s

        Checked: when it was saved, its %8$d tensors were read back and were those of the trained model, bit for bit.
        `manifest.json` has the size and SHA-256 of each file, `trainer_state.json` the run that made them.

        %9$s
        """
        .formatted(
            base,
            title(config),
            config.has("r") ? "Rank " + rank(config) + ", from" : "From",
            summary.step(),
            String.format(Locale.ROOT, "%.2f", summary.epoch()),
            evalLoss(summary),
            template(state.path("run").path("recipe").path("model").path("template").asText()),
            tensors,
            config.path("peft_type").asText().equals("BOTTLENECK")
                ? withTrainer(base)
                : withPeft(config, base));
  }

  private static String title(JsonNode config) {
    int virtualTokens = config.path("num_virtual_tokens").asInt();
    return switch (config.path("peft_type").asText()) {
      case "IA3" -> "IA3 adapter";
      case "PREFIX_TUNING" -> "Prefix of %d positions".formatted(virtualTokens);
      case "PROMPT_TUNING" -> "Prompt of %d positions".formatted(virtualTokens);
      case "BOTTLENECK" -> "Bottleneck adapters";
      default -> config.path("use_dora").asBoolean() ? "DoRA adapter" : "LoRA adapter";
    };
  }

  /** PEFT has no bottleneck adapters. */
  private static String withTrainer(String base) {
    return """
        ## With this trainer

        ```sh
        trainer infer --model %s --adapter path/to/this/folder --prompt "..."
        ```
        """
        .formatted(base);
  }

  private static String withPeft(JsonNode config, String base) {
    return """
        ## With PEFT

        ```python
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained("%1$s")
        model = AutoModelForCausalLM.from_pretrained("%1$s")
        model = PeftModel.from_pretrained(model, "path/to/this/folder")
        ```

        ## With vLLM

        %2$s
        """
        .formatted(base, vllm(config, base));
  }

  /** The largest rank of any layer: what a server must have room for. */
  private static int rank(JsonNode config) {
    return Stream.concat(
            Stream.of(config.path("r")),
            StreamSupport.stream(config.path("rank_pattern").spliterator(), false))
        .mapToInt(JsonNode::asInt)
        .max()
        .orElseThrow();
  }

  private static String evalLoss(Checkpoint summary) {
    return summary.evalLoss() == null
        ? ""
        : String.format(Locale.ROOT, ", validation loss %.4f", summary.evalLoss());
  }

  private static String template(String name) {
    return name.isEmpty() || name.equals("Auto")
        ? "It was trained with the base's own chat template, which servers take from the tokenizer."
        : "It was trained with the chat template %s in the place of the base's own: give it to the server too (vLLM: `--chat-template`)."
            .formatted(name);
  }

  private static String vllm(JsonNode config, String base) {
    List<String> reasons = refusals(config);
    if (!reasons.isEmpty()) {
      return "vLLM can't load this adapter, as %s. %s"
          .formatted(
              String.join(", and ", reasons),
              config.path("peft_type").asText().equals("LORA")
                  ? "`trainer export` merges it into its base, and vLLM serves the result."
                  : "Serve it with PEFT.");
    }
    int served =
        IntStream.of(VLLM_RANKS).filter(rank -> rank >= rank(config)).findFirst().orElseThrow();
    return """
        ```sh
        vllm serve %s --enable-lora --max-lora-rank %d \\
          --lora-modules tuned=path/to/this/folder
        ```"""
        .formatted(base, served);
  }

  /** Why vLLM refuses an adapter (vllm/lora/peft_helper.py, vllm/lora/lora_model.py). */
  private static List<String> refusals(JsonNode config) {
    List<String> reasons = new ArrayList<>();
    String type = config.path("peft_type").asText();
    if (!type.equals("LORA")) {
      reasons.add("it serves LoRA adapters only, and this one is " + type);
      return reasons;
    }
    if (config.path("use_dora").asBoolean()) {
      reasons.add("it doesn't know DoRA's magnitudes");
    }
    if (config.hasNonNull("modules_to_save")) {
      reasons.add("it takes no whole modules (modules_to_save)");
    }
    int largest = VLLM_RANKS[VLLM_RANKS.length - 1];
    if (rank(config) > largest) {
      reasons.add("it serves ranks up to %d, and this one is %d".formatted(largest, rank(config)));
    }
    boolean ends =
        StreamSupport.stream(config.path("target_modules").spliterator(), false)
            .map(target -> target.asText().substring(target.asText().lastIndexOf('.') + 1))
            .anyMatch(ENDS::contains);
    if (ends) {
      reasons.add("it adapts no embedding and no head");
    }
    boolean pictures =
        StreamSupport.stream(config.path("target_modules").spliterator(), false)
            .anyMatch(target -> PICTURES.matcher(target.asText()).matches());
    if (pictures) {
      reasons.add("it adapts the language model of a model for pictures alone");
    }
    return reasons;
  }
}
