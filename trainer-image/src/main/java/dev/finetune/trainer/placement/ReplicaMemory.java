package dev.finetune.trainer.placement;

import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.trainer.method.TuningMethod;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.LayerTraits;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelConfig;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.ModelPart;
import dev.finetune.trainer.model.Nf4;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The memory that training a replica takes, by layers: counted from what causal_lm.py and the
 * architectures' scripts keep; within 4 % of what was measured (LayerPlanTest), to which an
 * allocator adds its holes and CUDA its context, about half a GiB. With N = B T tokens of a
 * micro-batch, C the hidden size, D H the heads' size, I the MLP's, V the vocabulary and e bytes of
 * a number, the graph of one layer keeps
 *
 * <ul>
 *   <li>the norms' inputs in float32: 4 N C for each of the two, or four;
 *   <li>what attention keeps (q, k and v with as many heads as q, its result, a float32 logarithm
 *       for each head): N (4 D H e + 4 H);
 *   <li>where q, k and v are one product and all heads have their own v, the product, which v is a
 *       part of: 2 N D H e;
 *   <li>where the scores have a soft cap, they are written out: after the cap, and in float32 after
 *       the softmax, and for less than float32 once more: H N T (e + 4), or H N T (2 e + 4);
 *   <li>where q and k have norms, their inputs in float32 and two numbers of each head: N (H + K)
 *       (4 D + 8);
 *   <li>the MLP's gate before and after its activation, and what it is multiplied with: 3 N I e;
 *   <li>what the method needs: {@link TuningMethod#keptPerToken};
 *   <li>where the linear layers' weights are stored in four bits, the dequantised ones, which the
 *       backward pass multiplies with: e for each of their numbers.
 * </ul>
 *
 * Where layers are computed again, only their inputs are kept for the micro-batches in flight, N C
 * e each, and the graph of one. A sliding window shorter than a row has a mask of T T e for each
 * micro-batch in flight, which a device's layers share. A backward pass through the MLP needs 3 N I
 * e more, and one through capped scores, when the MLP's part of the graph is gone, two float32
 * matrices of their size. The head works on no more than a chunk of rows at a time: three float32
 * matrices of chunk x V (the logarithms of the probabilities, their gradient and the logits'), one
 * more where the logits have a soft cap, besides four of N C e. Pictures are looked at where the
 * embedding is: {@link TowerMemory}.
 */
public final class ReplicaMemory {
  /** float32 value, gradient, and AdamW's two moments. */
  private static final int BYTES_PER_TRAINED = 16;

  private final ModelFolder folder;
  private final TuningMethod method;
  private final Quantization quantization;
  private final long headRows;
  private final Map<LayerRange, Long> parameters;
  private final MicroBatchSize batch;
  private final LayerTraits traits;

  /** The MLP's size. */
  private final long inner;

  /** Numbers that train, of each part of the network from the embedding to the head. */
  private final long[] trained;

  /** Bytes of the graph, of each layer. */
  private final long[] graphs;

  /** Bytes that looking at pictures takes, where the embedding is. */
  private final long tower;

  /**
   * @param folder the checked model
   * @param method what trains
   * @param quantization how the linear layers' weights are stored
   * @param headRows rows that meet the head at once
   * @param batch the micro-batch
   */
  public ReplicaMemory(
      ModelFolder folder,
      TuningMethod method,
      Quantization quantization,
      long headRows,
      MicroBatchSize batch) {
    this(folder, method, quantization, headRows, new HashMap<>(), batch);
  }

  private ReplicaMemory(
      ModelFolder folder,
      TuningMethod method,
      Quantization quantization,
      long headRows,
      Map<LayerRange, Long> parameters,
      MicroBatchSize batch) {
    this.folder = folder;
    this.method = method;
    this.quantization = quantization;
    this.headRows = headRows;
    this.parameters = parameters;
    this.batch = batch;
    this.traits = folder.traits();
    this.inner =
        folder.linearLayers().stream()
            .filter(linear -> linear.suffix().equals("down_proj"))
            .mapToLong(LinearLayer::in)
            .max()
            .orElse(0);
    this.trained = IntStream.rangeClosed(-1, layers()).mapToLong(method::trainedNumbers).toArray();
    this.graphs = IntStream.range(0, layers()).mapToLong(this::graph).toArray();
    this.tower = tower();
  }

  /** The same model with another micro-batch. */
  ReplicaMemory with(MicroBatchSize other) {
    return new ReplicaMemory(folder, method, quantization, headRows, parameters, other);
  }

  /** The same with the linear layers' weights in four bits. */
  ReplicaMemory inNf4() {
    return new ReplicaMemory(folder, method, Quantization.NF4, headRows, parameters, batch);
  }

  /** Whether the linear layers' weights could be stored in four bits, and aren't. */
  boolean quantizable() {
    return quantization == Quantization.NONE && method.replacedWeights().isEmpty();
  }

  MicroBatchSize batch() {
    return batch;
  }

  /** Decoder layers of the model. */
  int layers() {
    return folder.config().layers();
  }

  /**
   * What a device takes.
   *
   * @param layers its layers
   * @param inFlight micro-batches whose forward pass is done and whose backward pass isn't, at most
   */
  public DeviceLoad load(LayerRange layers, int inFlight) {
    long numbers =
        IntStream.rangeClosed(-1, layers())
            .filter(layers::containsPart)
            .mapToLong(part -> trained[part + 1])
            .sum();
    return new DeviceLoad(
        layers,
        weights(layers),
        BYTES_PER_TRAINED * numbers + tiedHead(layers),
        activations(layers, inFlight));
  }

  private long weights(LayerRange layers) {
    long e = batch.bytesPerNumber();
    long bytes =
        parameters.computeIfAbsent(
                layers, range -> folder.parameters(range, method.replacedWeights()))
            * e;
    if (quantization == Quantization.NF4) {
      bytes += Nf4.workingBytes();
      for (LinearLayer linear : folder.linearLayers()) {
        if (layers.contains(linear.layer())) {
          bytes += Nf4.bytes(linear.elements()) - linear.elements() * e;
        }
      }
    }
    return bytes;
  }

  /** A tied head that trains elsewhere than the embedding has a value and a gradient of its own. */
  private long tiedHead(LayerRange layers) {
    boolean elsewhere = method.tiesHead() && layers.hasHead() && !layers.hasEmbedding();
    return elsewhere ? 2 * Float.BYTES * trained[0] : 0;
  }

  private long activations(LayerRange layers, int inFlight) {
    long all = Arrays.stream(graphs, layers.first(), layers.end()).sum();
    long largest = Arrays.stream(graphs, layers.first(), layers.end()).max().orElseThrow();
    long states = tokens() * folder.config().hiddenSize() * batch.bytesPerNumber();
    long kept = batch.recompute() ? layers.size() * states : all;
    long ofMlp = 3 * tokens() * inner * batch.bytesPerNumber();
    long ofScores = traits.cappedScores() ? 2 * Float.BYTES * scores() : 0;
    long working = 2 * states + Math.max(ofMlp, ofScores);
    long backward = batch.recompute() ? largest + working : working;
    long head = layers.hasHead() ? head(states) : 0;
    long ofPictures = layers.hasEmbedding() ? tower : 0;
    return inFlight * (kept + mask())
        + Math.max(ofPictures, Math.max(backward, head))
        + weightsInUse(layers);
  }

  /** Of the tiles that the rows have room for: each takes the same number of tokens. */
  private long tower() {
    return folder
        .vision()
        .map(
            sizes -> {
              long tiles = batch.rows() * (batch.length() / sizes.tokensPerTile());
              return new TowerMemory(sizes, tiles, batch.bytesPerNumber())
                  .activations(
                      method.trains(ModelPart.PROJECTOR), method.trains(ModelPart.VISION_TOWER));
            })
        .orElse(0L);
  }

  /** Tokens of a micro-batch with those that the method puts before them. */
  private long tokens() {
    return batch.rows() * length();
  }

  private long length() {
    return (long) batch.length() + method.virtualTokens();
  }

  /**
   * Of weights that train: the gradients before they are added to the window's, and where another
   * type is computed in, the copies in it; of one layer at a time where layers are computed again.
   */
  private long weightsInUse(LayerRange layers) {
    if (method.replacedWeights().isEmpty()) {
      return 0;
    }
    long copy = batch.bytesPerNumber() < Float.BYTES ? batch.bytesPerNumber() : 0;
    LongStream parts =
        IntStream.rangeClosed(-1, layers())
            .filter(layers::containsPart)
            .mapToLong(part -> trained[part + 1]);
    return (Float.BYTES + copy) * (batch.recompute() ? parts.max().orElse(0) : parts.sum());
  }

  private long mask() {
    long length = length();
    boolean shorter = traits.slidingWindow().orElse(Long.MAX_VALUE) < length;
    return shorter ? length * length * batch.bytesPerNumber() : 0;
  }

  /** Numbers of attention's scores in a layer, B H T T. */
  private long scores() {
    return tokens() * length() * folder.config().heads();
  }

  private long head(long states) {
    long rows = Math.min(headRows, tokens());
    long matrices = traits.cappedLogits() ? 4 : 3;
    return 4 * states + matrices * Float.BYTES * rows * folder.config().vocabularySize();
  }

  /** What the graph of a layer keeps, without the layer's input where that isn't a norm's. */
  private long graph(int layer) {
    ModelConfig config = folder.config();
    long e = batch.bytesPerNumber();
    long heads = config.heads() * config.headDim();
    long perToken =
        (long) traits.norms() * Float.BYTES * config.hiddenSize()
            + 4 * heads * e
            + Float.BYTES * config.heads()
            + 3 * inner * e;
    if (traits.fusedProjections() && config.heads() == config.keyValueHeads()) {
      perToken += 2 * heads * e;
    }
    if (traits.headNorms()) {
      long normed = config.heads() + config.keyValueHeads();
      perToken += normed * Float.BYTES * (config.headDim() + 2);
    }
    perToken += method.keptPerToken(layer, batch.bytesPerNumber());
    // In less than float32 the softmax's result is there once more, as the product takes it.
    long perScore = Float.BYTES + (e < Float.BYTES ? 2 * e : e);
    long kept = tokens() * perToken + (traits.cappedScores() ? perScore * scores() : 0);
    return quantization == Quantization.NONE ? kept : kept + e * linearNumbers(layer);
  }

  private long linearNumbers(int layer) {
    return folder.linearLayers().stream()
        .filter(linear -> linear.layer() == layer)
        .mapToLong(LinearLayer::elements)
        .sum();
  }
}
