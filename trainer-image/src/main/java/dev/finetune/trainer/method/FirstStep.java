package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import java.util.List;

/**
 * Looks once whether training trains: AdamW's first step moves every number that has a gradient by
 * the learning rate, so a matrix that was zero before it, such as LoRA's B, isn't afterwards. One
 * that is still zero gets no gradient, and a run that went on would leave it out silently.
 */
final class FirstStep {
  private final TorchScript script;
  private final ScriptValue trained;
  private final List<String> zeros;
  private boolean checked;

  /**
   * @param zeros names in the script of what starts at zero
   */
  FirstStep(TorchScript script, ScriptValue trained, List<String> zeros) {
    this.script = script;
    this.trained = trained;
    this.zeros = zeros;
    this.checked = zeros.isEmpty();
  }

  /**
   * To be called behind every step; looks behind the first that can move anything.
   *
   * @param norm of the gradient of the step
   * @param learningRate of the step, 0 in the first of a warm-up
   * @throws TrainerException MODEL if a matrix that started at zero is still zero
   */
  void check(double norm, double learningRate) {
    if (checked || learningRate == 0 || norm == 0 || !Double.isFinite(norm)) {
      return;
    }
    checked = true;
    int zero = Math.toIntExact(script.callLong("first_zero", trained, zeros));
    if (zero >= 0) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "%s is still zero after the first step: no gradient reaches it in this model, so it can't train; leave its layer out of targetModules"
              .formatted(zeros.get(zero)));
    }
  }
}
