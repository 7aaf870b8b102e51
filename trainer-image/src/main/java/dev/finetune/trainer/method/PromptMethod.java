package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.PromptTuningOptions;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Prompt tuning (arXiv:2104.08691): n embeddings before the text's, the same for every row. They
 * start from the embeddings of a text's tokens, repeated or cut to n as in PEFT, or of tokens that
 * are drawn.
 */
final class PromptMethod implements TuningMethod {
  /** PEFT's name of the tensor, in the file and in the script. */
  static final String NAME = "prompt_embeddings";

  private final PromptTuningOptions options;
  private final ModelFolder folder;
  private final long seed;

  PromptMethod(PromptTuningOptions options, ModelFolder folder, TrainingOptions training) {
    VirtualTokens.refusePacking("promptTuning", training.packing());
    this.options = options;
    this.folder = folder;
    this.seed = training.seed();
  }

  @Override
  public TrainedTensors tensors() {
    return new TrainedTensors(
        List.of(
            new TrainedTensor(
                NAME,
                NAME,
                TrainedTensor.EMBEDDING,
                options.virtualTokens(),
                folder.config().hiddenSize(),
                Start.GIVEN,
                ParameterGroup.MATRICES)));
  }

  @Override
  public void putStarts(CausalLm base, ScriptValue starts) {
    if (base.layers().hasEmbedding()) {
      try (ScriptValue model = base.untuned()) {
        base.script().run("put_embeddings", starts, model, ids());
      }
    }
  }

  private long[] ids() {
    if (options.initialText() == null) {
      return new SplittableRandom(seed)
          .longs(options.virtualTokens(), 0, folder.config().vocabularySize())
          .toArray();
    }
    try (Tokenizer tokenizer = Tokenizer.load(folder.path())) {
      int[] text = tokenizer.encodeWithSpecialTokens(options.initialText());
      if (text.length == 0) {
        throw new TrainerException(
            TrainerExit.USAGE,
            "promptTuning.initialText has no token; leave it out or write words");
      }
      long[] ids = new long[options.virtualTokens()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = text[i % text.length];
      }
      return ids;
    }
  }

  @Override
  public Optional<String> config() {
    return Optional.of(
        AdapterConfig.prompt(options.virtualTokens(), options.initialText(), folder));
  }

  @Override
  public int virtualTokens() {
    return options.virtualTokens();
  }

  /** The virtual tokens take as much as others do, which {@link #virtualTokens} says. */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    return 0;
  }
}
