package dev.finetune.operator.argocd;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.applied;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.lastWords;
import static dev.finetune.operator.Scenes.pod;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.Scenes;
import dev.finetune.operator.TestConfig;
import dev.finetune.operator.resources.Labels;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptHistory;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.status.StatusCalculator;
import dev.finetune.operator.validate.FineTuneJobValidator;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A FineTuneJob at one moment of its life, with the status that the operator's own code gives it.
 *
 * @param name of the file that holds it
 */
record JobMoment(String name, FineTuneJob job) {

  /** Every kind of moment that Argo CD may see. */
  static List<JobMoment> all() {
    return Stream.of(
            new JobMoment("applied", applied()),
            new JobMoment("rejected", rejected()),
            new JobMoment("child-refused", refused()),
            new JobMoment("queued", queued()),
            new JobMoment("pending", stage(started(), unschedulablePod())),
            new JobMoment("starting", stage(started(), startingPod())),
            new JobMoment("running", running()),
            new JobMoment("running-without-progress", stage(started(), runningPod(1))),
            new JobMoment("edited", edited()),
            new JobMoment("rejected-while-running", rejectedWhileRunning()),
            new JobMoment("suspending", suspending()),
            new JobMoment("suspended", suspended()),
            new JobMoment("restarting", restarting()),
            new JobMoment("succeeded", succeeded()),
            new JobMoment("failed", failed()),
            new JobMoment("copied", copied()),
            new JobMoment("suspend-output", suspendSet(running(), true)),
            new JobMoment("resume-output", suspendSet(suspended(), false)))
        .toList();
  }

  private static FineTuneJob rejected() {
    return after(withoutMemory(applied()), StatusCalculator::rejected);
  }

  private static FineTuneJob refused() {
    return after(applied(), status -> status.childRefused("jobs.batch is forbidden: quota"));
  }

  private static FineTuneJob started() {
    return after(applied(), status -> status.started(1, "tune-1"));
  }

  private static FineTuneJob queued() {
    Job job =
        Scenes.job(1, null)
            .edit()
            .editMetadata()
            .addToLabels(Labels.QUEUE, "team-a")
            .endMetadata()
            .editSpec()
            .withSuspend(true)
            .endSpec()
            .build();
    PodStage stage = PodStage.of(job, AttemptPods.NONE, Optional.empty());
    return after(started(), status -> status.running(stage, AttemptPods.NONE, Progress.NONE));
  }

  private static FineTuneJob running() {
    return stage(started(), runningPod(1), progress(24, 20, null));
  }

  private static FineTuneJob edited() {
    return edited(running(), spec -> spec.withObject("/retry").put("maxRestarts", 7));
  }

  private static FineTuneJob rejectedWhileRunning() {
    return stage(withoutMemory(running()), runningPod(1), progress(25, 20, null));
  }

  /** Its status is that of its copy in another cluster, whose generation is another. */
  private static FineTuneJob copied() {
    FineTuneJob job = running();
    return changed(
        job,
        job.getMetadata().getGeneration() + 2,
        spec -> spec.put("managedBy", "kueue.x-k8s.io/multikueue"));
  }

  private static FineTuneJob suspending() {
    return after(
        edited(running(), spec -> spec.put("suspend", true)),
        status ->
            status.ending(
                ConditionReason.SuspendRequested,
                "Attempt 1 saves a checkpoint and ends",
                AttemptPods.of(runningPod(1)),
                progress(26, 20, null)));
  }

  private static FineTuneJob suspended() {
    FineTuneJob job = suspending();
    AttemptEnd end =
        AttemptEnd.byOperator(
            last(job), ConditionReason.SuspendRequested, "suspended", AttemptPods.NONE, NOW);
    return after(job, status -> status.suspended(end));
  }

  private static FineTuneJob restarting() {
    AttemptEnd end = end(running(), 75, TrainerExit.TRY_AGAIN, "SIGTERM");
    return after(running(), status -> status.restarting(end, "Attempt 1 was interrupted"));
  }

  private static FineTuneJob succeeded() {
    Pod pod =
        endedPod(1, 0, "Completed", lastWords(TrainerExit.DONE, "done", progress(100, 100, null)));
    FineTuneJob job = running();
    return after(
        job, status -> status.succeeded(AttemptEnd.succeeded(last(job), AttemptPods.of(pod), NOW)));
  }

  private static FineTuneJob failed() {
    AttemptEnd end = end(running(), 65, TrainerExit.DATA, "train.jsonl:3: not JSON");
    return after(
        running(),
        status -> status.failed(Optional.of(end), end.attempt().reason(), end.attempt().message()));
  }

  private static AttemptEnd end(FineTuneJob job, int code, TrainerExit exit, String words) {
    Pod pod = endedPod(1, code, "Error", lastWords(exit, words, progress(30, 30, null)));
    return AttemptEnd.failed(last(job), AttemptPods.of(pod), NOW);
  }

  private static Attempt last(FineTuneJob job) {
    return AttemptHistory.last(job.getStatus().attempts()).orElseThrow();
  }

  private static FineTuneJob withoutMemory(FineTuneJob job) {
    return edited(job, spec -> spec.withObject("/resources").put("memory", "lots"));
  }

  /** As a user edits it: the API server counts the generation up. */
  private static FineTuneJob edited(FineTuneJob job, Consumer<ObjectNode> edit) {
    return changed(job, job.getMetadata().getGeneration() + 1, edit);
  }

  private static FineTuneJob suspendSet(FineTuneJob job, boolean value) {
    return changed(job, job.getMetadata().getGeneration(), spec -> spec.put("suspend", value));
  }

  private static FineTuneJob changed(FineTuneJob job, long generation, Consumer<ObjectNode> edit) {
    ObjectNode tree = Serialization.unmarshal(Serialization.asJson(job), ObjectNode.class);
    edit.accept(tree.withObject("/spec"));
    tree.withObject("/metadata").put("generation", generation);
    return Jobs.parse(tree.toString());
  }

  private static Pod unschedulablePod() {
    Pod pod = pod(1, each -> each.editSpec().withNodeName(null).endSpec());
    PodCondition scheduled = pod.getStatus().getConditions().get(0);
    scheduled.setStatus("False");
    scheduled.setMessage("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.");
    return pod;
  }

  private static Pod startingPod() {
    return pod(
        1,
        each ->
            each.editStatus()
                .addNewContainerStatus()
                .withName("trainer")
                .withNewState()
                .withNewWaiting("no such image", "ImagePullBackOff")
                .endState()
                .endContainerStatus()
                .endStatus());
  }

  private static FineTuneJob stage(FineTuneJob job, Pod pod) {
    return stage(job, pod, Progress.NONE);
  }

  private static FineTuneJob stage(FineTuneJob job, Pod pod, Progress progress) {
    PodStage stage = PodStage.of("tune-1", AttemptPods.of(pod), Optional.empty());
    return after(job, status -> status.running(stage, AttemptPods.of(pod), progress));
  }

  private static FineTuneJob after(
      FineTuneJob job, Function<StatusCalculator, FineTuneJobStatus> what) {
    var violations = FineTuneJobValidator.validate(job, TestConfig.defaults());
    job.setStatus(what.apply(new StatusCalculator(job, violations, NOW)));
    return job;
  }
}
