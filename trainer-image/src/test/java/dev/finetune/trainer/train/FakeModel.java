package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.method.TokenSums;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.function.IntToLongFunction;

/**
 * A vector that is pulled towards the mean of the tokens it sees, with momentum and noise from the
 * dropout seed: every step depends on all before it, as a real model's does.
 */
public final class FakeModel implements TrainableModel {
  private static final int SIZE = 3;

  private final double[] weights = new double[SIZE];
  private final double[] momentum = new double[SIZE];
  private final double[] gradient = new double[SIZE];

  /** What each micro-batch got: the window's tokens and the dropout seed. */
  public final List<String> calls = new ArrayList<>();

  /** The rates of the steps. */
  public final List<Double> rates = new ArrayList<>();

  /** Called before each micro-batch with the number of calls so far. */
  public IntConsumer beforeAccumulate = call -> {};

  /** Returned instead of the loss of the call of this number; none when negative. */
  public int nanAtCall = -1;

  /** The losses that evaluations find, in their order; those of the model where there are none. */
  public List<Double> evalLosses = List.of();

  private int evaluations;

  /** Where the first number that isn't finite is said to come out; null for nowhere. */
  public String firstNonFinite;

  /** Returned instead of the norm of the step of this number; none when negative. */
  public int nanAtStep = -1;

  @Override
  public List<TokenSums> accumulate(
      List<Batch> batches, long windowTokens, IntToLongFunction dropoutSeed, BooleanSupplier stop) {
    List<TokenSums> sums = new ArrayList<>();
    for (int i = 0; i < batches.size() && !stop.getAsBoolean(); i++) {
      sums.add(accumulate(batches.get(i), windowTokens, dropoutSeed.applyAsLong(i)));
    }
    return sums;
  }

  private TokenSums accumulate(Batch batch, long windowTokens, long dropoutSeed) {
    beforeAccumulate.accept(calls.size());
    boolean nan = calls.size() == nanAtCall;
    calls.add(windowTokens + "/" + dropoutSeed);
    SplittableRandom dropout = new SplittableRandom(dropoutSeed);
    double nll = 0;
    for (int i = 0; i < SIZE; i++) {
      double error = weights[i] - target(batch) + 0.1 * dropout.nextDouble();
      gradient[i] += error * batch.supervisedTokens() / windowTokens;
      nll += error * error * batch.supervisedTokens();
    }
    return new TokenSums(nan ? Double.NaN : nll, correct(batch));
  }

  @Override
  public double step(double learningRate) {
    boolean nan = rates.size() == nanAtStep;
    rates.add(learningRate);
    double norm = 0;
    for (int i = 0; i < SIZE; i++) {
      norm += gradient[i] * gradient[i];
      momentum[i] = 0.9 * momentum[i] + gradient[i];
      weights[i] -= learningRate * momentum[i];
      gradient[i] = 0;
    }
    return nan ? Double.POSITIVE_INFINITY : Math.sqrt(norm);
  }

  @Override
  public Optional<String> firstNonFinite(Batch batch) {
    return Optional.ofNullable(firstNonFinite);
  }

  @Override
  public TokenSums evaluate(Batch batch) {
    if (!evalLosses.isEmpty()) {
      double loss = evalLosses.get(evaluations++);
      return new TokenSums(loss * batch.supervisedTokens(), correct(batch));
    }
    double nll = 0;
    for (double weight : weights) {
      nll += (weight - target(batch)) * (weight - target(batch)) * batch.supervisedTokens();
    }
    return new TokenSums(nll, correct(batch));
  }

  /** All but the last supervised token of each row. */
  private static long correct(Batch batch) {
    return (long) batch.supervisedTokens() - batch.rows();
  }

  @Override
  public Map<String, HostTensor> adapter() {
    return Map.of("weights", tensor(weights));
  }

  @Override
  public Map<String, HostTensor> optimizer() {
    return Map.of("momentum", tensor(momentum));
  }

  @Override
  public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    adapter
        .get("weights")
        .bytes()
        .duplicate()
        .order(ByteOrder.LITTLE_ENDIAN)
        .asDoubleBuffer()
        .get(weights);
    optimizer
        .get("momentum")
        .bytes()
        .duplicate()
        .order(ByteOrder.LITTLE_ENDIAN)
        .asDoubleBuffer()
        .get(momentum);
    // What a window left half done before is not part of a checkpoint.
    Arrays.fill(gradient, 0);
  }

  @Override
  public Optional<String> adapterConfig() {
    return Optional.of(
        "{\"peft_type\": \"LORA\", \"r\": 16, \"base_model_name_or_path\": \"/models/fake\"}");
  }

  @Override
  public ParameterCounts parameters() {
    return new ParameterCounts(3L, 1003L);
  }

  @Override
  public void close() {}

  /** A copy of the trained vector. */
  public double[] weights() {
    return weights.clone();
  }

  private static double target(Batch batch) {
    double sum = 0;
    for (long id : batch.inputIds()) {
      sum += id;
    }
    return sum / batch.inputIds().length / 10;
  }

  private static HostTensor tensor(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return new HostTensor("F64", new long[] {values.length}, bytes.asReadOnlyBuffer());
  }
}
