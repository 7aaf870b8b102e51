package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.resources.Labels;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One informer for Jobs and one for pods, of those only that carry our label: a cluster's other
 * pods would fill the operator's memory.
 */
final class ChildInformers {
  private ChildInformers() {}

  static EventSource<?, FineTuneJob> jobs(EventSourceContext<FineTuneJob> context) {
    return informer(Job.class, "jobs", context, job -> {});
  }

  /**
   * The pods.
   *
   * @param deleted is told the last state of each that is deleted
   */
  static EventSource<?, FineTuneJob> pods(
      EventSourceContext<FineTuneJob> context, Consumer<Pod> deleted) {
    return informer(Pod.class, "pods", context, deleted);
  }

  private static <T extends HasMetadata> InformerEventSource<T, FineTuneJob> informer(
      Class<T> type, String name, EventSourceContext<FineTuneJob> context, Consumer<T> deleted) {
    var configuration =
        InformerEventSourceConfiguration.from(type, FineTuneJob.class)
            .withName(name)
            .withLabelSelector(Labels.JOB)
            .withSecondaryToPrimaryMapper(ChildInformers::job)
            .build();
    return new InformerEventSource<>(configuration, context) {
      @Override
      public synchronized void onDelete(T child, boolean lastStateUnknown) {
        deleted.accept(child);
        super.onDelete(child, lastStateUnknown);
      }
    };
  }

  private static Set<ResourceID> job(HasMetadata child) {
    Map<String, String> labels = child.getMetadata().getLabels();
    String name = labels == null ? null : labels.get(Labels.JOB);
    return name == null
        ? Set.of()
        : Set.of(new ResourceID(name, child.getMetadata().getNamespace()));
  }
}
