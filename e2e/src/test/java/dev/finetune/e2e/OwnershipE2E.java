package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whose a job is, and for how long its children stay. */
class OwnershipE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void anEndedJobsChildrenGoAfterTheirTimeAndItStaysSucceeded() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("tidy").spec("ttlSecondsAfterFinished: 1"));
    jobs.awaitPhase("tidy", Phase.SUCCEEDED);

    namespace.await(
        "the children are gone", () -> jobs.children("tidy"), gone -> assertThat(gone).isEmpty());

    assertThat(jobs.get("tidy").getStatus().phase()).isEqualTo(Phase.SUCCEEDED);
    assertThat(namespace.results().resolve("tidy/adapter")).isDirectory();
    assertThat(jobs.attemptJobs("tidy")).isEmpty();
  }

  @Test
  void aJobOfAnotherControllerIsNotTouched() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("theirs").spec("managedBy: example.com/dispatcher"));
    jobs.apply(Manifest.tiny("ours").spec("managedBy: finetune.dev/operator"));

    // By then the operator has long seen the first one, and written what it had to tell of it.
    jobs.awaitPhase("ours", Phase.SUCCEEDED);
    namespace.awaitEvents("ours", reasons -> assertThat(reasons).contains("Completed"));

    assertThat(jobs.get("theirs").getStatus()).isNull();
    assertThat(jobs.children("theirs")).isEmpty();
    assertThat(namespace.eventReasons("theirs")).isEmpty();
  }
}
