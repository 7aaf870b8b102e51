package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.DeviceMemoryException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.picture.Picture;
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
  /** The embeddings of a prompt's virtual tokens. */
  private static final String PROMPT = "prompt_embeddings";

  private final CausalLm base;
  private final ScriptValue model;
  private final int prefix;
  private final int prompt;
  private final boolean owner;

  private TextGenerator(CausalLm base, ScriptValue model, int prefix, int prompt, boolean owner) {
    this.base = base;
    this.model = model;
    this.prefix = prefix;
    this.prompt = prompt;
    this.owner = owner;
  }

  /**
   * A generator of the text of a model that somebody else owns, such as one that is being trained;
   * it writes with the values that the model has at each call.
   *
   * @param prefix positions of the model's prefix
   * @param prompt virtual tokens that it puts before the text
   */
  public static TextGenerator borrowing(CausalLm base, ScriptValue model, int prefix, int prompt) {
    return new TextGenerator(base, model, prefix, prompt, false);
  }

  /** A generator of the base model's text; the model stays open when it is closed. */
  public static TextGenerator of(CausalLm base) {
    return new TextGenerator(base, base.untuned(), 0, 0, true);
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
      HostTensor prompt = tensors.get(PROMPT);
      int virtualTokens = prompt == null ? 0 : Math.toIntExact(prompt.shape()[0]);
      return new TextGenerator(
          base, base.tuned(copies, tuning), tuning.prefix(), virtualTokens, true);
    }
  }

  /**
   * Continues a prompt without pictures; see {@link #generate(int[], List, SamplingOptions,
   * IntConsumer)}.
   */
  public List<Integer> generate(int[] prompt, SamplingOptions options, IntConsumer onToken) {
    return generate(prompt, List.of(), options, onToken);
  }

  /**
   * Continues a prompt until a stop token, or until there are as many new tokens as allowed, or as
   * many tokens as the model has positions for.
   *
   * @param prompt token ids, at least one
   * @param pictures those whose tokens the prompt has, in their order
   * @param options how tokens are chosen
   * @param onToken told of every new token as it comes
   * @return the new tokens, the stop token among them
   * @throws TrainerException with {@link TrainerExit#USAGE} if the prompt is empty or fills all
   *     positions, with {@link TrainerExit#OUT_OF_MEMORY} if it doesn't fit into memory
   */
  public List<Integer> generate(
      int[] prompt, List<Picture> pictures, SamplingOptions options, IntConsumer onToken) {
    long positions = base.folder().config().maxPositions() - prefix - this.prompt;
    long length = Math.min(prompt.length + (long) options.maxNewTokens(), positions);
    if (prompt.length == 0 || prompt.length >= length) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "the prompt has %d tokens; it must have at least 1 and leave room in the model's %d"
              .formatted(prompt.length, positions));
    }
    long room = length + prefix + this.prompt;
    long[] ids = Arrays.stream(prompt).asLongStream().toArray();
    base.tokens(ids, 1, ids.length);
    PictureTiles tiles = base.tiles(pictures, ids);
    try (ScriptValue cache = base.script().call("new_cache", model, room)) {
      return generate(ids, tiles, options, onToken, cache, room);
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
      long[] prompt,
      PictureTiles pictures,
      SamplingOptions options,
      IntConsumer onToken,
      ScriptValue cache,
      long length) {
    List<Integer> generated = new ArrayList<>();
    long[] ids = prompt;
    PictureTiles tiles = pictures;
    long past = prefix;
    long virtual = this.prompt;
    boolean stopped = false;
    while (!stopped && past + virtual + ids.length < length) {
      int token = next(ids, tiles, past, options, cache);
      past += virtual + ids.length;
      virtual = 0;
      ids = new long[] {token};
      tiles = PictureTiles.NONE;
      generated.add(token);
      onToken.accept(token);
      stopped = options.stopIds().contains(token);
    }
    return generated;
  }

  private int next(
      long[] ids, PictureTiles tiles, long past, SamplingOptions options, ScriptValue cache) {
    // PyTorch's CPU generator takes 32 bits; the position makes every draw another one.
    long seed = (options.seed() * 31 + past + ids.length) & 0xFFFF_FFFFL;
    return Math.toIntExact(
        base.script()
            .callLong(
                "next_token",
                ids,
                tiles.pixels(),
                tiles.count(),
                past,
                model,
                cache,
                options.temperature(),
                options.topK(),
                options.topP(),
                seed));
  }

  /** The logits of a prompt without pictures. */
  public HostTensor logits(int[] prompt) {
    return logits(prompt, List.of());
  }

  /**
   * The logits of a prompt.
   *
   * @param prompt token ids, at least one
   * @param pictures those whose tokens the prompt has, in their order
   * @return (1, T, V) of F32: those behind each token
   */
  public HostTensor logits(int[] prompt, List<Picture> pictures) {
    long[] ids = Arrays.stream(prompt).asLongStream().toArray();
    return base.logits(model, base.tokens(ids, 1, ids.length), base.tiles(pictures, ids));
  }

  @Override
  public void close() {
    if (owner) {
      model.close();
    }
  }
}
