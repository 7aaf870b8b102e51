package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Jobs that are deleted at any moment: nothing of them is left. */
class DeletionE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void aJobThatIsDeletedWhilePendingRunningOrRestartingLeavesNothing() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("pending").spec("resources: {gpusPerNode: 9}"));
    jobs.apply(Manifest.endless("running"));
    jobs.apply(
        Manifest.tiny("restarting")
            .spec(
                """
                pod: {env: [{name: JDK_JAVA_OPTIONS, value: -XX:NoSuchOption}]}
                retry: {backoffSeconds: 3600}
                """));
    jobs.awaitStatus(
        "pending", status -> assertThat(status.message()).contains("Insufficient nvidia.com/gpu"));
    jobs.awaitCheckpoint("running");
    jobs.awaitPhase("restarting", Phase.RESTARTING);

    for (String name : new String[] {"pending", "running", "restarting"}) {
      assertThat(jobs.children(name)).hasSizeGreaterThanOrEqualTo(2);
      jobs.resource(name).delete();
    }

    for (String name : new String[] {"pending", "running", "restarting"}) {
      namespace.await(
          "everything of " + name + " is gone",
          () -> jobs.children(name),
          left -> assertThat(left).isEmpty());
      assertThat(jobs.resource(name).get()).isNull();
    }
  }

  @Test
  void aNamespaceThatIsDeletedInTheMiddleTerminates() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("running"));
    jobs.apply(Manifest.tiny("pending").spec("resources: {gpusPerNode: 9}"));
    jobs.awaitCheckpoint("running");
    var resource = CLUSTER.client().namespaces().withName(namespace.name());
    int linesBefore = errors();

    resource.delete();

    namespace.await("the namespace is gone", resource::get, gone -> assertThat(gone).isNull());
    // A pass that was under way when its namespace went may fail, and is tried again a few times.
    assertThat(errors() - linesBefore).isLessThan(10);
  }

  private static int errors() {
    return (int) CLUSTER.operator().logs().lines().filter(line -> line.contains(" ERROR ")).count();
  }
}
