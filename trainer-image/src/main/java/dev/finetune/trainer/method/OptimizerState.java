package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * AdamW's state in PyTorch's names.
 *
 * @param expAvg running mean of the gradient, by the tensor's name
 * @param expAvgSq running mean of the squared gradient, by the tensor's name
 * @param steps steps taken
 */
record OptimizerState(
    Map<String, HostTensor> expAvg, Map<String, HostTensor> expAvgSq, long steps) {
  private static final String EXP_AVG = ".exp_avg";
  private static final String EXP_AVG_SQ = ".exp_avg_sq";
  private static final String STEP = "step";

  /** That of a rank which is told rank 0's. */
  static final OptimizerState NONE = new OptimizerState(Map.of(), Map.of(), 0);

  /** All of it as one set of tensors: NAME.exp_avg, NAME.exp_avg_sq and step. */
  Map<String, HostTensor> tensors() {
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    tensors.put(STEP, HostTensor.ofLongs(new long[] {steps}));
    expAvg.forEach((name, tensor) -> tensors.put(name + EXP_AVG, tensor));
    expAvgSq.forEach((name, tensor) -> tensors.put(name + EXP_AVG_SQ, tensor));
    return tensors;
  }

  /**
   * Reads what {@link #tensors} gives.
   *
   * @throws TrainerException if it isn't of that form
   */
  static OptimizerState of(Map<String, HostTensor> tensors) {
    Map<String, HostTensor> expAvg = new LinkedHashMap<>();
    Map<String, HostTensor> expAvgSq = new LinkedHashMap<>();
    HostTensor steps = tensors.get(STEP);
    if (steps == null || !steps.dtype().equals("I64") || steps.elements() != 1) {
      throw new TrainerException(
          TrainerExit.MODEL, "the optimizer's state has no step, a single I64");
    }
    tensors.forEach(
        (name, tensor) -> {
          if (name.endsWith(EXP_AVG)) {
            expAvg.put(name.substring(0, name.length() - EXP_AVG.length()), tensor);
          } else if (name.endsWith(EXP_AVG_SQ)) {
            expAvgSq.put(name.substring(0, name.length() - EXP_AVG_SQ.length()), tensor);
          } else if (!name.equals(STEP)) {
            throw new TrainerException(
                TrainerExit.MODEL, "the optimizer's state has the unknown tensor " + name);
          }
        });
    return new OptimizerState(expAvg, expAvgSq, steps.longs().get(0));
  }
}
