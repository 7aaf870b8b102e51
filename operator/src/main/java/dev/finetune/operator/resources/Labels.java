package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import java.util.Map;
import java.util.TreeMap;

/** The labels of every object that the operator creates; its informers select by them. */
public final class Labels {
  /** Name of the FineTuneJob. */
  public static final String JOB = "finetune.dev/job";

  /** Number of the attempt, from 1. */
  public static final String ATTEMPT = "finetune.dev/attempt";

  /** The operator's name in {@code app.kubernetes.io/managed-by}. */
  public static final String OPERATOR = "finetune-operator";

  /** Kueue's: the LocalQueue that admits a Job. */
  public static final String QUEUE = "kueue.x-k8s.io/queue-name";

  private static final String KUEUE = "kueue.x-k8s.io/";
  private static final String WORKLOAD = KUEUE + "prebuilt-workload-name";

  private Labels() {}

  /** Labels of what belongs to the job as a whole. */
  static Map<String, String> ofJob(FineTuneJob job) {
    var labels = new TreeMap<String, String>();
    labels.put("app.kubernetes.io/name", "finetune-trainer");
    labels.put("app.kubernetes.io/instance", job.getMetadata().getName());
    labels.put("app.kubernetes.io/component", "trainer");
    labels.put("app.kubernetes.io/managed-by", OPERATOR);
    labels.put(JOB, job.getMetadata().getName());
    return labels;
  }

  /**
   * Labels of an attempt's Job: those of the attempt, and Kueue's from the FineTuneJob, such as its
   * priority class. {@code spec.queueName} is stronger than a label.
   */
  static Map<String, String> ofAttemptJob(FineTuneJob job, int attempt) {
    var labels = ofAttempt(job, attempt);
    if (job.getMetadata().getLabels() != null) {
      job.getMetadata().getLabels().entrySet().stream()
          .filter(label -> label.getKey().startsWith(KUEUE))
          // Without a value Kueue takes no notice of a Job; and a Workload serves one Job only.
          .filter(label -> !label.getValue().isEmpty() && !label.getKey().equals(WORKLOAD))
          .forEach(label -> labels.put(label.getKey(), label.getValue()));
    }
    String queue = job.getSpec().queueName();
    if (queue != null && !queue.isEmpty()) {
      labels.put(QUEUE, queue);
    }
    return labels;
  }

  /** Labels of what belongs to one attempt. */
  static Map<String, String> ofAttempt(FineTuneJob job, int attempt) {
    var labels = ofJob(job);
    labels.put(ATTEMPT, String.valueOf(attempt));
    return labels;
  }
}
