package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.DeviceMemoryException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Continues a prompt token by token, with the keys and values of past tokens kept. Works for every
 * architecture; used by one thread at a time.
 */
public final class TextGenerator implements AutoCloseable {
  private final CausalLm base;
  private final ScriptValue model;

  private TextGenerator(CausalLm base, ScriptValue model) {
    this.base = base;
    this.model = model;
  }

  /** A generator of the base model's text; the model stays open when it is closed. */
  public static TextGenerator of(CausalLm base) {
    return new TextGenerator(base, base.untuned());
  }

  /**
   * A generator of the tuned model's text; the model stays open when it is closed.
   *
   * @param tensors what a method puts on the model, F32, by the names that causal_lm.py knows
   * @param tuning what the method says beside
   */
  public static TextGenerator of(CausalLm base, Map<String, HostTensor> tensors, Tuning tuning) {
    try (ScriptValue copies = base.script().call("no_weights")) {
      tensors.forEach(
          (name, tensor) -> base.script().run("put_tensor", copies, name, tensor, base.device()));
      return new TextGenerator(base, base.tuned(copies, tuning));
    }
  }

  /**
   * Continues a prompt until a stop token, or until there are as many new tokens as allowed, or as
   * many tokens as the model has positions for.
   *
   * @param prompt token ids, at least one
   * @param options how tokens are chosen
   * @param onToken told of every new token as it comes
   * @return the new tokens, the stop token among them
   * @throws TrainerException with {@link TrainerExit#USAGE} if the prompt is empty or fills all
   *     positions, with {@link TrainerExit#OUT_OF_MEMORY} if it doesn't fit into memory
   */
  public List<Integer> generate(int[] prompt, SamplingOptions options, IntConsumer onToken) {
    long length =
        Math.min(
            prompt.length + (long) options.maxNewTokens(), base.folder().config().maxPositions());
    if (prompt.length == 0 || prompt.length >= length) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "the prompt has %d tokens; it must have at least 1 and leave room in the model's %d"
              .formatted(prompt.length, base.folder().config().maxPositions()));
    }
    long[] ids = Arrays.stream(prompt).asLongStream().toArray();
    base.tokens(ids, 1, ids.length);
    try (ScriptValue cache = base.script().call("new_cache", model, length)) {
      return generate(ids, options, onToken, cache, length);
    } catch (DeviceMemoryException e) {
      throw new TrainerException(
          TrainerExit.OUT_OF_MEMORY,
          "the keys and values of %d tokens don't fit into the memory of %s: %s; set a smaller"
                  .formatted(length, base.device(), e.getMessage())
              + " number of new tokens or shorten the prompt",
          e);
    }
  }

  private List<Integer> generate(
      long[] prompt, SamplingOptions options, IntConsumer onToken, ScriptValue cache, long length) {
    List<Integer> generated = new ArrayList<>();
    long[] ids = prompt;
    long past = 0;
    boolean stopped = false;
    while (!stopped && past + ids.length < length) {
      int token = next(ids, past, options, cache);
      past += ids.length;
      ids = new long[] {token};
      generated.add(token);
      onToken.accept(token);
      stopped = options.stopIds().contains(token);
    }
    return generated;
  }

  private int next(long[] ids, long past, SamplingOptions options, ScriptValue cache) {
    // PyTorch's CPU generator takes 32 bits; the position makes every draw another one.
    long seed = (options.seed() * 31 + past + ids.length) & 0xFFFF_FFFFL;
    return Math.toIntExact(
        base.script()
            .callLong(
                "next_token",
                ids,
                past,
                model,
                cache,
                options.temperature(),
                options.topK(),
                options.topP(),
                seed));
  }

  @Override
  public void close() {
    model.close();
  }
}
