package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.Map;

/**
 * A frozen model with the tensors that a method trains on top of it, and their optimizer: all that
 * the training loop asks of the engine. Used by one thread at a time.
 */
public interface TrainableModel extends AutoCloseable {

  /**
   * Runs a micro-batch forward and backward and adds the gradient of its loss to the window's.
   *
   * @param batch the micro-batch
   * @param windowTokens supervised tokens of the whole accumulation window: the loss of each token
   *     is divided by it
   * @param dropoutSeed seeds this micro-batch's dropout, so that a resumed run draws the same masks
   * @return the sum of the negative log-likelihoods of the supervised tokens, in nats
   */
  double accumulate(Batch batch, long windowTokens, long dropoutSeed);

  /**
   * Clips the window's gradient, takes one AdamW step with it and clears it.
   *
   * @param learningRate the rate of this step
   * @return the gradient's global L2 norm before clipping
   */
  double step(double learningRate);

  /** Sum of the negative log-likelihoods of the batch's supervised tokens, without dropout. */
  double evaluate(Batch batch);

  /** The trained tensors by their name in PEFT's adapter file; copies. */
  Map<String, HostTensor> adapter();

  /** The optimizer's state by name, enough to go on exactly; copies. */
  Map<String, HostTensor> optimizer();

  /**
   * Sets the trained tensors and the optimizer to a checkpoint's.
   *
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
