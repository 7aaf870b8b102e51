package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.LoraInitialization;
import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.Tuning;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.PatternSyntaxException;

/**
 * Low-rank adaptation (arXiv:2106.09685): each target's weight W (out, in) stays frozen and becomes
 * W + s B A with A (r, in) and B (out, r) trained, s = alpha / r, or alpha / sqrt(r) where it is
 * rank-stabilised (arXiv:2312.03732). A starts uniform in +-1/sqrt(in), B at zero.
 *
 * <p>DoRA (arXiv:2402.09353) trains the lengths of the sum's rows besides, LoRA+ (arXiv:2402.12354)
 * has B learn faster than A, and PiSSA (arXiv:2404.02948) starts from W's principal singular
 * vectors and trains them; what is saved of it is an adapter of twice the rank for the original W,
 * {@link DoubledRank}.
 */
final class LoraMethod implements TuningMethod {
  private static final String A = ".lora_A";
  private static final String B = ".lora_B";
  private static final String EMBEDDING_A = ".lora_embedding_A";
  private static final String EMBEDDING_B = ".lora_embedding_B";
  private static final String MAGNITUDE = ".lora_magnitude_vector";

  /** LoRA+'s for the adapter of an embedding. */
  private static final double EMBEDDING_RATE = 1e-6;

  private final LoraOptions lora;
  private final double learningRate;
  private final ModelFolder folder;
  private final List<LinearLayer> adapted;

  /**
   * @param learningRate the recipe's, which LoRA+'s rates are relative to
   * @param frozen parts in which nothing is adapted, whatever the targets name
   */
  LoraMethod(LoraOptions lora, double learningRate, ModelFolder folder, FrozenParts frozen) {
    this.lora = lora;
    this.learningRate = learningRate;
    this.folder = folder;
    this.adapted = LoraTargets.resolve(lora.targetModules(), frozen.without(folder.modules()));
    checkPatterns("rankPattern", ranks());
    checkPatterns("alphaPattern", alphas());
    if (principal()) {
      adapted.forEach(this::checkPrincipal);
    }
  }

  private Map<String, Integer> ranks() {
    return lora.rankPattern() == null ? Map.of() : lora.rankPattern();
  }

  private Map<String, Double> alphas() {
    return lora.alphaPattern() == null ? Map.of() : lora.alphaPattern();
  }

  private void checkPatterns(String field, Map<String, ?> patterns) {
    for (String pattern : patterns.keySet()) {
      try {
        if (adapted.stream().noneMatch(layer -> LayerPatterns.names(pattern, layer.module()))) {
          throw new TrainerException(
              TrainerExit.USAGE,
              "%s names no adapted layer with '%s'; it is a regular expression of a path's end, such as q_proj or layers.0.mlp.up_proj"
                  .formatted(field, pattern));
        }
      } catch (PatternSyntaxException e) {
        throw new TrainerException(
            TrainerExit.USAGE,
            "%s: '%s' is no regular expression: %s".formatted(field, pattern, e.getDescription()),
            e);
      }
    }
  }

  private void checkPrincipal(LinearLayer layer) {
    if (!isEmbedding(layer) && rank(layer) > Math.min(layer.in(), layer.out())) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "PiSSA needs as many singular vectors as the rank %d, and %s has %d; take a smaller rank"
              .formatted(rank(layer), layer.module(), Math.min(layer.in(), layer.out())));
    }
  }

  private boolean principal() {
    return lora.initialization() == LoraInitialization.PISSA;
  }

  private boolean dora() {
    return lora.variant() == LoraVariant.DORA;
  }

  private int rank(LinearLayer layer) {
    return LayerPatterns.find(ranks(), layer.module()).orElse(lora.rank());
  }

  private double scale(LinearLayer layer) {
    double alpha = LayerPatterns.find(alphas(), layer.module()).orElse(lora.alpha());
    return lora.variant() == LoraVariant.RANK_STABILIZED
        ? alpha / Math.sqrt(rank(layer))
        : alpha / rank(layer);
  }

  private static boolean isEmbedding(LinearLayer layer) {
    return layer.isEmbedding();
  }

  @Override
  public TrainedTensors tensors() {
    List<TrainedTensor> tensors = new ArrayList<>();
    for (LinearLayer layer : adapted) {
      tensors.addAll(matrices(layer));
      if (dora()) {
        String name = layer.name() + MAGNITUDE;
        tensors.add(
            new TrainedTensor(
                name,
                PeftNames.ofParameter(layer.module() + MAGNITUDE),
                layer.layer(),
                layer.out(),
                0,
                Start.GIVEN,
                new ParameterGroup(rateOfB(layer), false)));
      }
    }
    return new TrainedTensors(tensors);
  }

  private List<TrainedTensor> matrices(LinearLayer layer) {
    ParameterGroup ofB = new ParameterGroup(rateOfB(layer), true);
    if (isEmbedding(layer)) {
      // An embedding's B is drawn and its A zero, in PEFT as in the first LoRA.
      return List.of(
          parameter(layer, EMBEDDING_A, rank(layer), layer.in(), Start.ZEROS, ofB),
          parameter(layer, EMBEDDING_B, layer.out(), rank(layer), Start.NORMAL, ofB));
    }
    Start startOfA = principal() ? Start.GIVEN : Start.UNIFORM;
    Start startOfB = principal() ? Start.GIVEN : Start.ZEROS;
    return List.of(
        matrix(layer, A, rank(layer), layer.in(), startOfA, ParameterGroup.MATRICES),
        matrix(layer, B, layer.out(), rank(layer), startOfB, ofB));
  }

  private static TrainedTensor matrix(
      LinearLayer layer, String kind, long rows, long columns, Start start, ParameterGroup group) {
    String name = layer.name() + kind;
    return new TrainedTensor(
        name,
        PeftNames.ofMatrix(layer.module() + kind),
        layer.layer(),
        rows,
        columns,
        start,
        group);
  }

  private static TrainedTensor parameter(
      LinearLayer layer, String kind, long rows, long columns, Start start, ParameterGroup group) {
    String name = layer.name() + kind;
    return new TrainedTensor(
        name,
        PeftNames.ofParameter(layer.module() + kind),
        layer.layer(),
        rows,
        columns,
        start,
        group);
  }

  private double rateOfB(LinearLayer layer) {
    if (lora.learningRateRatio() == null) {
      return 1;
    }
    double ofEmbedding =
        lora.embeddingLearningRate() == null ? EMBEDDING_RATE : lora.embeddingLearningRate();
    return isEmbedding(layer) ? ofEmbedding / learningRate : lora.learningRateRatio();
  }

  @Override
  public Tuning tuning() {
    Map<String, Double> scales = new LinkedHashMap<>();
    adapted.forEach(layer -> scales.put(layer.name(), scale(layer)));
    return Tuning.ofScales(scales);
  }

  @Override
  public double dropout() {
    return lora.dropout();
  }

  @Override
  public void putStarts(CausalLm base, ScriptValue starts) {
    try (ScriptValue model = base.untuned()) {
      for (LinearLayer layer : adapted) {
        if (!base.layers().containsPart(layer.layer())) {
          continue;
        }
        if (principal() && !isEmbedding(layer)) {
          base.script()
              .run("put_principal", starts, model, layer.name(), rank(layer), scale(layer));
        }
        if (dora()) {
          base.script().run("put_lengths", starts, model, layer.name(), isEmbedding(layer) ? 0 : 1);
        }
      }
    }
  }

  @Override
  public TrainedTensors remembered() {
    return new TrainedTensors(
        principal()
            ? tensors().all().stream()
                .filter(tensor -> tensor.name().endsWith(A) || tensor.name().endsWith(B))
                .toList()
            : List.of());
  }

  @Override
  public void takeOut(CausalLm base, Map<String, HostTensor> start) {
    List<LinearLayer> here =
        adapted.stream()
            .filter(layer -> base.layers().containsPart(layer.layer()) && !isEmbedding(layer))
            .toList();
    for (LinearLayer layer : here) {
      HostTensor a = start.get(PeftNames.ofMatrix(layer.module() + A));
      HostTensor b = start.get(PeftNames.ofMatrix(layer.module() + B));
      base.leaveResidual(layer.name(), a, b, scale(layer));
    }
  }

  @Override
  public TrainedTensors saved() {
    return principal() ? DoubledRank.of(tensors(), remembered()) : tensors();
  }

  @Override
  public Map<String, HostTensor> toFile(TunedValues values) {
    return principal() ? DoubledRank.join(values) : values.tensors();
  }

  @Override
  public TunedValues fromFile(Map<String, HostTensor> saved) {
    return principal()
        ? DoubledRank.split(saved, remembered())
        : TuningMethod.super.fromFile(saved);
  }

  @Override
  public Optional<String> config() {
    return Optional.of(AdapterConfig.lora(this, lora, adapted, folder));
  }

  /** The rank as it is saved. */
  int savedRank(int rank) {
    return principal() ? 2 * rank : rank;
  }

  /** The alpha that gives the saved rank the same scale. */
  double savedAlpha(double alpha) {
    if (!principal()) {
      return alpha;
    }
    return lora.variant() == LoraVariant.RANK_STABILIZED ? alpha * Math.sqrt(2) : 2 * alpha;
  }

  /**
   * x A^T of each adapted layer; without dropout their inputs too, shared by those with the same
   * one (that of o_proj is attention's result, which is kept anyway), and with dropout for each its
   * own masked input and the mask. DoRA keeps the result before it is scaled.
   */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    long bytes = 0;
    Set<String> inputs = new HashSet<>();
    for (LinearLayer linear : adapted) {
      if (linear.layer() == layer) {
        bytes += (long) rank(linear) * bytesPerNumber;
        bytes += dora() ? linear.out() * bytesPerNumber : 0;
        if (lora.dropout() > 0) {
          bytes += linear.in() * (bytesPerNumber + 1);
        } else if (!linear.suffix().equals("o_proj") && inputs.add(linear.input())) {
          bytes += linear.in() * bytesPerNumber;
        }
      }
    }
    return bytes;
  }
}
