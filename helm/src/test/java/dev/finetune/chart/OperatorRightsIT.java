package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The packaged operator with the rights that the chart gives it and no other: it is never refused,
 * and it makes use of each.
 */
class OperatorRightsIT {
  /** As on OpenShift, where an owner that waits for its children asks for a right of its own. */
  @RegisterExtension
  static final KubeApiServer API =
      new KubeApiServer("--enable-admission-plugins", "OwnerReferencesPermissionEnforcement");

  /** Asked by the admission plugin within another request, so that no audit event tells of it. */
  private static final Right UNSEEN =
      new Right("update", "finetune.dev", "finetunejobs/finalizers");

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @BeforeAll
  static void awaitAdmissionPlugin() {
    // It learns what FineTuneJobs are at most half a minute after their definition came.
    String namespace = API.newNamespace();
    FineTuneJob job = new FineTuneJobs(API.client(), namespace).apply("known", "suspend: true");
    await("the admission plugin knows FineTuneJobs")
        .atMost(PATIENCE)
        .ignoreExceptionsInstanceOf(KubernetesClientException.class)
        .until(() -> API.client().resource(JobLife.staleRecipe(job, namespace)).create() != null);
  }

  @Test
  void sufficeAndAreAllNeededWhereItServesAllNamespaces() {
    String home = API.newNamespace();
    showRights(home, API.newNamespace(), "namespaces: []");
  }

  @Test
  void sufficeAndAreAllNeededWhereItServesAListOfNamespaces() {
    String home = API.newNamespace();
    String served = API.newNamespace();
    showRights(home, served, "namespaces: [" + served + "]");
    assertThat(API.client().rbac().clusterRoles().list().getItems())
        .extracting(role -> role.getMetadata().getName())
        .doesNotContain(home + "-" + Chart.RELEASE);
  }

  private static void showRights(String home, String served, String mode) {
    try (Installation release = Installation.of(API, home, mode);
        OperatorProcess operator =
            OperatorProcess.start(
                "rights-" + home, release.kubeconfigOf(Chart.RELEASE), release.environment())) {
      JobLife.lead(API.client(), served);
      assertThat(operator.isAlive()).isTrue();

      var audit = new AuditLog(API.auditLog(), home, Chart.RELEASE);
      assertThat(audit.refused()).as("requests that were refused").isEmpty();
      Set<Right> granted = Right.of(release.rules());
      assertThat(granted).contains(UNSEEN);
      granted.remove(UNSEEN);
      assertThat(audit.used()).isEqualTo(granted);
    }
  }

  @Test
  void includeTheOneThatOpenShiftAsksForBeforeAChildMayHoldUpItsOwnersDeletion() {
    String home = API.newNamespace();
    try (Installation release = Installation.of(API, home, "namespaces: [" + home + "]")) {
      FineTuneJob job = new FineTuneJobs(API.client(), home).apply("owner", "suspend: true");
      var account = new ServiceAccountClient(release.kubeconfigOf(Chart.RELEASE));
      assertThat(account.create(JobLife.staleRecipe(job, home))).isEmpty();

      API.client()
          .rbac()
          .roles()
          .inNamespace(home)
          .withName(Chart.RELEASE)
          .edit(
              role -> {
                role.getRules().removeIf(rule -> rule.getResources().contains(UNSEEN.resource()));
                return role;
              });
      API.client().configMaps().inNamespace(home).withName("owner").delete();
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(account.create(JobLife.staleRecipe(job, home)))
                      .contains("cannot set blockOwnerDeletion"));
    }
  }
}
