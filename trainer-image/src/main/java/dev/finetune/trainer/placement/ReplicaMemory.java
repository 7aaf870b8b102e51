package dev.finetune.trainer.placement;

import dev.finetune.trainer.method.TuningMethod;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.LayerTraits;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelConfig;
import dev.finetune.trainer.model.ModelFolder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The memory that training a replica takes, by layers: counted from what causal_lm.py and the
 * architectures' scripts keep; within 3 % of what was measured (LayerPlanTest), to which an
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
 *   <li>what the method needs: {@link TuningMethod#keptPerToken}.
 * </ul>
 *
 * Where layers are computed again, only their inputs are kept for the micro-batches in flight, N C
 * e each, and the graph of one. A sliding window shorter than a row has a mask of T T e for each
 * micro-batch in flight, which a device's layers share. A backward pass through the MLP needs 3 N I
 * e more, and one through capped scores two float32 matrices of their size. The head works on no
 * more than a chunk of rows at a time: three float32 matrices of chunk x V (the logarithms of the
 * probabilities, their gradient and the logits'), besides four of N C e; two more where the logits
 * have a soft cap.
 */
public final class ReplicaMemory {
  /** float32 value, gradient, and AdamW's two moments. */
  private static final int BYTES_PER_TRAINED = 16;

  private final ModelFolder folder;
  private final TuningMethod method;
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

  /**
   * @param folder the checked model
   * @param method what trains
   * @param headRows rows that meet the head at once
   * @param batch the micro-batch
   */
  public ReplicaMemory(
      ModelFolder folder, TuningMethod method, long headRows, MicroBatchSize batch) {
    this(folder, method, headRows, new HashMap<>(), batch);
  }

  private ReplicaMemory(
      ModelFolder folder,
      TuningMethod method,
      long headRows,
      Map<LayerRange, Long> parameters,
      MicroBatchSize batch) {
    this.folder = folder;
    this.method = method;
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
  }

  /** The same model with another micro-batch. */
  ReplicaMemory with(MicroBatchSize other) {
    return new ReplicaMemory(folder, method, headRows, parameters, other);
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
    long weights = parameters.computeIfAbsent(layers, folder::parameters) * batch.bytesPerNumber();
    long numbers =
        IntStream.rangeClosed(-1, layers())
            .filter(layers::containsPart)
            .mapToLong(part -> trained[part + 1])
            .sum();
    return new DeviceLoad(
        layers, weights, BYTES_PER_TRAINED * numbers, activations(layers, inFlight));
  }

  private long activations(LayerRange layers, int inFlight) {
    long all = Arrays.stream(graphs, layers.first(), layers.end()).sum();
    long largest = Arrays.stream(graphs, layers.first(), layers.end()).max().orElseThrow();
    long states = batch.tokens() * folder.config().hiddenSize() * batch.bytesPerNumber();
    long kept = batch.recompute() ? layers.size() * states : all;
    long working = 2 * states + 3 * batch.tokens() * inner * batch.bytesPerNumber();
    working += traits.cappedScores() ? 2 * Float.BYTES * scores() : 0;
    long backward = batch.recompute() ? largest + working : working;
    long head = layers.hasHead() ? head(states) : 0;
    return inFlight * (kept + mask()) + Math.max(backward, head);
  }

  private long mask() {
    long length = batch.length();
    boolean shorter = traits.slidingWindow().orElse(Long.MAX_VALUE) < length;
    return shorter ? length * length * batch.bytesPerNumber() : 0;
  }

  /** Numbers of attention's scores in a layer, B H T T. */
  private long scores() {
    return batch.tokens() * batch.length() * folder.config().heads();
  }

  private long head(long states) {
    long rows = Math.min(headRows, batch.tokens());
    long matrices = traits.cappedLogits() ? 5 : 3;
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
    return batch.tokens() * perToken + (traits.cappedScores() ? perScore * scores() : 0);
  }
}
