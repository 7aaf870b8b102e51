package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.e2e.harness.OperatorRelease;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the installed chart is on a cluster with all controllers. */
class ChartE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void helmTestPassesWhereTheRestrictedLevelIsEnforcedAndLeavesNothing() {
    assertThat(
            CLUSTER
                .client()
                .namespaces()
                .withName(OperatorRelease.NAMESPACE)
                .get()
                .getMetadata()
                .getLabels())
        .containsEntry("pod-security.kubernetes.io/enforce", "restricted");

    CLUSTER.operator().test();

    assertThat(
            CLUSTER
                .client()
                .resources(FineTuneJob.class)
                .inNamespace(OperatorRelease.NAMESPACE)
                .list()
                .getItems())
        .isEmpty();
    assertThat(CLUSTER.client().pods().inNamespace(OperatorRelease.NAMESPACE).list().getItems())
        .extracting(pod -> pod.getMetadata().getName())
        .noneMatch(name -> name.endsWith("-test"));
  }

  @Test
  void kubernetesOwnRolesIncludeFineTuneJobs() {
    List<String> reading = List.of("get", "list", "watch");
    List<String> writing = List.of("create", "update", "patch", "delete", "deletecollection");
    bind("view", "vera");
    bind("edit", "edith");
    bind("admin", "adam");

    namespace.await(
        "the roles are put together",
        () -> may("edith", "create", ""),
        permitted -> assertThat(permitted).isTrue());
    assertThat(reading).allMatch(verb -> may("vera", verb, ""));
    assertThat(writing).noneMatch(verb -> may("vera", verb, ""));
    for (String user : List.of("edith", "adam")) {
      assertThat(Stream.concat(reading.stream(), writing.stream()))
          .allMatch(verb -> may(user, verb, ""));
      assertThat(List.of("update", "patch")).noneMatch(verb -> may(user, verb, "status"));
    }
  }

  private void bind(String role, String user) {
    CLUSTER
        .client()
        .resource(
            new RoleBindingBuilder()
                .withNewMetadata()
                .withName(user)
                .withNamespace(namespace.name())
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", role)
                .addNewSubject("rbac.authorization.k8s.io", "User", user, null)
                .build())
        .create();
  }

  private boolean may(String user, String verb, String subresource) {
    SubjectAccessReview review =
        new SubjectAccessReviewBuilder()
            .withNewSpec()
            .withUser(user)
            .withNewResourceAttributes()
            .withNamespace(namespace.name())
            .withGroup("finetune.dev")
            .withResource("finetunejobs")
            .withSubresource(subresource)
            .withVerb(verb)
            .endResourceAttributes()
            .endSpec()
            .build();
    return CLUSTER
        .client()
        .authorization()
        .v1()
        .subjectAccessReview()
        .create(review)
        .getStatus()
        .getAllowed();
  }
}
