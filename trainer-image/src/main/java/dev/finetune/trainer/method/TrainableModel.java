package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.IntToLongFunction;

/**
 * A frozen model with the tensors that a method trains on top of it, and their optimizer: all that
 * the training loop asks of the engine. Used by one thread at a time.
 *
 * <p>Where several ranks train, each has such a model with the same values, and {@link #step},
 * {@link #optimizer} and {@link #restore} are called by all of them together.
 */
public interface TrainableModel extends AutoCloseable {

  /**
   * Runs this rank's micro-batches of a window forward and backward and adds the gradients of their
   * losses to the window's.
   *
   * @param batches the micro-batches; none where the window has no row for this rank
   * @param windowTokens supervised tokens of the whole window on all ranks: the loss of each token
   *     is divided by it
   * @param dropoutSeed the seed of a micro-batch's dropout by its index, so that a resumed run
   *     draws the same masks
   * @param stop asked before every micro-batch; the rest is left out where it says so
   * @return for each micro-batch that was run the sum of the negative log-likelihoods of its
   *     supervised tokens, in nats
   */
  double[] accumulate(
      List<Batch> batches, long windowTokens, IntToLongFunction dropoutSeed, BooleanSupplier stop);

  /**
   * Clips the window's gradient, takes one AdamW step with it and clears it.
   *
   * @param learningRate the rate of this step
   * @return the gradient's global L2 norm before clipping, over all ranks
   */
  double step(double learningRate);

  /** Sum of the negative log-likelihoods of the batch's supervised tokens, without dropout. */
  double evaluate(Batch batch);

  /** The trained tensors as they are saved, by name; copies. */
  Map<String, HostTensor> adapter();

  /**
   * The optimizer's state by name, enough to go on exactly with any number of ranks; copies. Rank 0
   * gets what the others hold parts of, and they get nothing.
   */
  Map<String, HostTensor> optimizer();

  /**
   * Sets the trained tensors and the optimizer of every rank to a checkpoint's.
   *
   * @param adapter what {@link #adapter} gave; only rank 0's is read, the others may have none
   * @param optimizer what {@link #optimizer} gave; likewise
   * @throws dev.finetune.trainer.TrainerException if a name or shape differs from this model's
   */
  void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer);

  /** PEFT's adapter_config.json as a JSON text. */
  String adapterConfig();

  /** Sizes of the model and of what is trained. */
  ParameterCounts parameters();

  @Override
  void close();
}
