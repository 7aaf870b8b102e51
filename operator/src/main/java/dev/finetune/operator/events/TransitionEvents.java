package dev.finetune.operator.events;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.operator.config.Daemons;
import dev.finetune.operator.resources.Labels;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Writes an Event of events.k8s.io/v1 for each transition of a FineTuneJob. As client-go's recorder
 * it does so beside the reconciler: where a thousand jobs end at once, none waits for the Events of
 * the others before its status says so.
 */
@ApplicationScoped
public class TransitionEvents {
  private static final Logger LOG = Logger.getLogger(TransitionEvents.class);

  /** The API server refuses a longer note. */
  private static final int LONGEST_NOTE = 1024;

  /** Few, so that Events never keep statuses waiting; readers order them by their names. */
  private static final int WRITERS = 2;

  /** Events that wait to be written; what comes on top of them is a log line. */
  private static final int LONGEST_QUEUE = 10_000;

  /** What is left at the operator's end is written first, within its grace period. */
  private static final long SECONDS_AT_THE_END = 5;

  private static final DateTimeFormatter MICRO_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  private final KubernetesClient client;
  private final Clock clock;
  private final ExecutorService writer;

  TransitionEvents(KubernetesClient client, Clock clock) {
    this.client = client;
    this.clock = clock;
    this.writer =
        new ThreadPoolExecutor(
            WRITERS,
            WRITERS,
            /* keepAliveTime= */ 0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(LONGEST_QUEUE),
            Daemons.named("events"));
  }

  /**
   * Tells what changed, soon. An Event that can't be written is a log line; the job goes on without
   * it.
   */
  public void emit(FineTuneJob job, FineTuneJobStatus previous, FineTuneJobStatus next) {
    for (Transition transition : Transition.between(previous, next)) {
      Event event = event(job, transition, clock.instant());
      try {
        writer.execute(() -> write(event));
      } catch (RejectedExecutionException e) {
        notWritten(event, "too many wait already");
      }
    }
  }

  @PreDestroy
  void close() throws InterruptedException {
    writer.shutdown();
    if (!writer.awaitTermination(SECONDS_AT_THE_END, TimeUnit.SECONDS)) {
      LOG.warnf("%d events were not written", writer.shutdownNow().size());
    }
  }

  private void write(Event event) {
    try {
      client.resource(event).create();
    } catch (KubernetesClientException e) {
      notWritten(event, e.getMessage());
    }
  }

  private static void notWritten(Event event, String why) {
    LOG.warnf(
        "event %s of %s/%s was not written: %s",
        event.getReason(),
        event.getRegarding().getNamespace(),
        event.getRegarding().getName(),
        why);
  }

  static Event event(FineTuneJob job, Transition transition, Instant now) {
    String name = job.getMetadata().getName();
    String namespace = job.getMetadata().getNamespace();
    return new EventBuilder()
        .withNewMetadata()
        .withName(eventName(name, now))
        .withNamespace(namespace)
        .endMetadata()
        .withEventTime(new MicroTime(MICRO_TIME.format(now)))
        .withReportingController("finetune.dev/" + Labels.OPERATOR)
        .withReportingInstance(instance())
        .withAction("Reconcile")
        .withType(transition.type())
        .withReason(transition.reason().name())
        .withNote(note(transition.message()))
        .withRegarding(
            new ObjectReferenceBuilder()
                .withApiVersion(job.getApiVersion())
                .withKind(job.getKind())
                .withName(name)
                .withNamespace(namespace)
                .withUid(job.getMetadata().getUid())
                .withResourceVersion(job.getMetadata().getResourceVersion())
                .build())
        .build();
  }

  /**
   * As client-go names its events: kubectl describe shows them in the order of their names, because
   * those of events.k8s.io have no lastTimestamp. The random end keeps two of one instant apart.
   */
  private static String eventName(String job, Instant now) {
    long nanos = TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    return "%s.%x.%04x".formatted(job, nanos, ThreadLocalRandom.current().nextInt(0x10000));
  }

  private static String note(String message) {
    return message.length() <= LONGEST_NOTE ? message : message.substring(0, LONGEST_NOTE);
  }

  /** The pod's name in a cluster. */
  private static String instance() {
    String host = System.getenv("HOSTNAME");
    return host == null || host.isBlank() ? Labels.OPERATOR : host;
  }
}
