package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.config.OperatorConfig;
import dev.finetune.operator.metrics.JobGauges;
import dev.finetune.operator.observe.ClusterObserver;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.observe.ProgressPolls;
import dev.finetune.operator.resources.Ownership;
import dev.finetune.operator.status.StatusCalculator;
import dev.finetune.operator.validate.FineTuneJobValidator;
import dev.finetune.operator.validate.Violation;
import io.javaoperatorsdk.operator.OperatorException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import io.quarkiverse.operatorsdk.annotations.RBACRule;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** One pass: observe, validate, decide, apply, write the status. */
@ControllerConfiguration(name = FineTuneJobReconciler.NAME)
@RBACRule(
    apiGroups = "batch",
    resources = "jobs",
    verbs = {"get", "list", "watch", "create", "delete"})
@RBACRule(
    apiGroups = "",
    resources = "pods",
    verbs = {"list", "watch"})
@RBACRule(apiGroups = "", resources = "pods/proxy", verbs = "get")
@RBACRule(
    apiGroups = "",
    resources = "configmaps",
    verbs = {"get", "create", "delete"})
@RBACRule(
    apiGroups = "",
    resources = "services",
    verbs = {"get", "create", "delete"})
@RBACRule(apiGroups = "", resources = "events", verbs = "list")
@RBACRule(apiGroups = "events.k8s.io", resources = "events", verbs = "create")
@RBACRule(
    apiGroups = "coordination.k8s.io",
    resources = "leases",
    verbs = {"get", "create", "patch"})
public class FineTuneJobReconciler implements Reconciler<FineTuneJob> {
  /** Name of the controller in properties, logs and meters. */
  static final String NAME = "finetunejob";

  /** Until the informer has caught up with what the API server already has. */
  private static final Duration CATCH_UP = Duration.ofMillis(200);

  private final ClusterObserver observer;
  private final ProgressPolls polls;
  private final StepExecutor executor;
  private final JobGauges gauges;
  private final OperatorConfig config;
  private final Clock clock;

  FineTuneJobReconciler(
      ClusterObserver observer,
      ProgressPolls polls,
      StepExecutor executor,
      JobGauges gauges,
      OperatorConfig config,
      Clock clock) {
    this.observer = observer;
    this.polls = polls;
    this.executor = executor;
    this.gauges = gauges;
    this.config = config;
    this.clock = clock;
  }

  @Override
  public List<EventSource<?, FineTuneJob>> prepareEventSources(
      EventSourceContext<FineTuneJob> context) {
    gauges.register(() -> context.getPrimaryCache().list().filter(Ownership::ours));
    var answers = new SimpleInboundEventSource<FineTuneJob>("progress");
    polls.onAnswer(answers::propagateEvent);
    return List.of(
        ChildInformers.jobs(context), ChildInformers.pods(context, observer::deleted), answers);
  }

  @Override
  public UpdateControl<FineTuneJob> reconcile(FineTuneJob job, Context<FineTuneJob> context) {
    if (!Ownership.ours(job)) {
      return UpdateControl.noUpdate();
    }
    Instant now = clock.instant();
    Observation observation = observer.observe(job, context);
    if (!observation.progress().equals(Progress.NONE)) {
      gauges.progressed(job);
    }
    List<Violation> violations = FineTuneJobValidator.validate(job, config);
    NextStep step = NextStepDecider.decide(job, violations, observation, now);
    if (step instanceof NextStep.StartAttempt && observer.outdated(job)) {
      return UpdateControl.<FineTuneJob>noUpdate().rescheduleAfter(CATCH_UP);
    }
    var status = new StatusCalculator(job, violations, now);
    executor.execute(step, job, observation, status, context);
    Optional<Duration> again = step.again(config.progress().interval());
    return again.isPresent()
        ? UpdateControl.<FineTuneJob>noUpdate().rescheduleAfter(again.get())
        : UpdateControl.noUpdate();
  }

  @Override
  public ErrorStatusUpdateControl<FineTuneJob> updateErrorStatus(
      FineTuneJob job, Context<FineTuneJob> context, Exception error) {
    // The meters wrap what a pass throws.
    Throwable cause = error instanceof OperatorException ? error.getCause() : error;
    if (!(cause instanceof RefusedException)) {
      return ErrorStatusUpdateControl.defaultErrorProcessing();
    }
    if (cause instanceof ChildRefusedException) {
      List<Violation> violations = FineTuneJobValidator.validate(job, config);
      var status = new StatusCalculator(job, violations, clock.instant());
      executor.refused(job, status.childRefused(cause.getMessage()), context);
    }
    // The words are told already; a stack trace at each try would tell nobody anything.
    return ErrorStatusUpdateControl.<FineTuneJob>noStatusUpdate()
        .withNoRetry()
        .rescheduleAfter(Backoff.refused(job, clock.instant()).toMillis());
  }
}
