package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;

/** An attempt in the making: its fields under their names, to change a few and keep the others. */
final class AttemptDraft {
  Integer number;
  String job;
  String startTime;
  String endTime;
  AttemptOutcome outcome = AttemptOutcome.Running;
  ConditionReason reason;
  Integer exitCode;
  String node;
  Integer rank;
  String message;
  String log;
  Integer preemptions;
  Integer resumedFromStep;
  Integer lostSteps;
  Long gpuSeconds;

  static AttemptDraft of(Attempt attempt) {
    var draft = new AttemptDraft();
    draft.number = attempt.number();
    draft.job = attempt.job();
    draft.startTime = attempt.startTime();
    draft.endTime = attempt.endTime();
    draft.outcome = attempt.outcome();
    draft.reason = attempt.reason();
    draft.exitCode = attempt.exitCode();
    draft.node = attempt.node();
    draft.rank = attempt.rank();
    draft.message = attempt.message();
    draft.log = attempt.log();
    draft.preemptions = attempt.preemptions();
    draft.resumedFromStep = attempt.resumedFromStep();
    draft.lostSteps = attempt.lostSteps();
    draft.gpuSeconds = attempt.gpuSeconds();
    return draft;
  }

  Attempt build() {
    return new Attempt(
        number,
        job,
        startTime,
        endTime,
        outcome,
        reason,
        exitCode,
        node,
        rank,
        message,
        log,
        preemptions,
        resumedFromStep,
        lostSteps,
        gpuSeconds);
  }
}
