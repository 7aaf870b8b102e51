package dev.finetune.trainer.method;

import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.Map;
import java.util.Optional;

/**
 * AdamW (arXiv:1711.05101) on the tensors that train, as torch.optim.AdamW with clipping as
 * torch.nn.utils.clip_grad_norm_.
 *
 * <p>Where several ranks train, each holds the state of an equal part of the tensors and takes the
 * step of that part: ZeRO stage 1 (arXiv:1910.02054). The ranks' gradients are summed to the part's
 * owner and its new values go to all, which together moves as many bytes as an all-reduce. All that
 * is said here is done by every rank.
 */
final class AdamW {
  /** As in clip_grad_norm_: keeps the factor finite for a gradient of zeros. */
  private static final double NORM_FLOOR = 1e-6;

  private final TorchScript script;
  private final ScriptValue trained;
  private final TrainedTensors tensors;
  private final OptimizerOptions options;
  private final ProcessGroup group;

  /**
   * @param trained the script's tensors that train
   * @param tensors their names and shapes
   */
  AdamW(
      TorchScript script,
      ScriptValue trained,
      TrainedTensors tensors,
      OptimizerOptions options,
      ProcessGroup group) {
    this.script = script;
    this.trained = trained;
    this.tensors = tensors;
    this.options = options;
    this.group = group;
  }

  /**
   * Takes a step with the sum of all ranks' gradients, and clears them. A gradient that isn't
   * finite changes nothing.
   *
   * @return the gradient's global L2 norm before clipping, the same number on every rank
   */
  double step(double learningRate) {
    double norm = Math.sqrt(gradientSquares());
    step(norm, learningRate);
    return norm;
  }

  /** The square of the L2 norm of the sum of all ranks' gradients, the same on every rank. */
  double gradientSquares() {
    if (group.size() > 1) {
      sumGradients();
    }
    double norm = script.callDouble("gradient_norm", trained);
    double[] squares = {norm * norm};
    if (group.size() > 1) {
      group.sum(squares);
    }
    return squares[0];
  }

  /**
   * Takes the step after {@link #gradientSquares}, of tensors that are a part of a model's.
   *
   * @param norm the L2 norm of the whole model's gradient; where it isn't finite, nothing changes
   */
  void step(double norm, double learningRate) {
    if (Double.isFinite(norm)) {
      script.run(
          "apply_step",
          trained,
          clipping(norm),
          learningRate,
          options.beta1(),
          options.beta2(),
          options.epsilon(),
          options.weightDecay());
      if (group.size() > 1) {
        shareValues();
      }
    }
    script.run("clear_gradient", trained);
  }

  private double clipping(double norm) {
    double longest = options.maxGradNorm();
    return longest > 0 ? Math.min(1, longest / (norm + NORM_FLOOR)) : 1;
  }

  private void sumGradients() {
    try (ScriptValue gradient = script.call("gradient", trained);
        ScriptValue part = script.call("part_gradient", trained)) {
      group.reduceScatter(gradient, part);
    }
  }

  private void shareValues() {
    try (ScriptValue part = script.call("part", trained);
        ScriptValue flat = script.call("flat", trained)) {
      group.allGather(part, flat);
    }
  }

  /** The state of all parts on rank 0; nothing on the others, which give theirs. */
  Optional<OptimizerState> state() {
    Map<String, HostTensor> expAvg = gathered("exp_avg");
    Map<String, HostTensor> expAvgSq = gathered("exp_avg_sq");
    if (group.rank() > 0) {
      return Optional.empty();
    }
    return Optional.of(
        new OptimizerState(expAvg, expAvgSq, script.callLong("read_steps", trained)));
  }

  /** What trains, by file name, the same on every rank; copies. */
  Map<String, HostTensor> values() {
    try (ScriptValue flat = script.call("flat", trained)) {
      return tensors.read(script, flat);
    }
  }

  private Map<String, HostTensor> gathered(String name) {
    try (ScriptValue part = script.call(name, trained)) {
      if (group.size() == 1) {
        return tensors.read(script, part);
      }
      try (ScriptValue whole = script.call("new_whole", trained)) {
        group.allGather(part, whole);
        return group.rank() == 0 ? tensors.read(script, whole) : Map.of();
      }
    }
  }

  /**
   * Sets what trains and the optimizer to rank 0's values; on the others all arguments may be
   * empty.
   *
   * @param values by file name
   * @param state of the optimizer
   */
  void restore(Map<String, HostTensor> values, OptimizerState state) {
    try (ScriptValue flat = shared(values);
        ScriptValue expAvg = shared(state.expAvg());
        ScriptValue expAvgSq = shared(state.expAvgSq())) {
      double[] steps = {group.rank() == 0 ? state.steps() : 0};
      group.sum(steps);
      script.run("write_state", trained, flat, expAvg, expAvgSq, group.rank(), (long) steps[0]);
    }
  }

  private ScriptValue shared(Map<String, HostTensor> values) {
    ScriptValue whole = script.call("new_whole", trained);
    if (group.rank() == 0) {
      tensors.write(script, whole, values);
    }
    group.broadcast(whole, 0);
    return whole;
  }
}
