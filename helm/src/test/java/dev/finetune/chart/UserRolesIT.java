package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What people may do who have one of Kubernetes' own roles in a namespace. */
class UserRolesIT {
  @RegisterExtension
  static final KubeApiServer API =
      new KubeApiServer("--enable-admission-plugins", "OwnerReferencesPermissionEnforcement");

  private static final List<ClusterRole> ROLES =
      Chart.ofTests().objects(Variant.named("default").values()).stream()
          .filter(each -> each.get("kind").asText().equals("ClusterRole"))
          .filter(each -> each.at("/metadata/name").asText().startsWith("finetunejobs-"))
          .map(each -> Serialization.unmarshal(each.toString(), ClusterRole.class))
          .toList();

  @BeforeAll
  static void createRoles() {
    ROLES.forEach(role -> API.client().resource(role).create());
  }

  @Test
  void viewReadsAndNoMore() {
    assertThat(rightsWithin("view")).isEqualTo(verbs("get", "list", "watch"));
  }

  @Test
  void editAndAdminReadAndWrite() {
    Set<Right> all =
        verbs("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection");
    assertThat(rightsWithin("edit")).isEqualTo(all);
    assertThat(rightsWithin("admin")).isEqualTo(all);
  }

  @Test
  void whoMayEditCreatesSuspendsAndDeletesButWritesNoStatus() {
    String namespace = API.newNamespace();
    try (KubernetesClient user = user("erin", namespace)) {
      new FineTuneJobs(user, namespace).apply("mine");
      Resource<FineTuneJob> job =
          user.resources(FineTuneJob.class).inNamespace(namespace).withName("mine");
      job.patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\": {\"suspend\": true}}");
      assertThat(job.get().getSpec().suspend()).isTrue();

      assertThatThrownBy(
              () ->
                  job.subresource("status")
                      .patch(
                          PatchContext.of(PatchType.JSON_MERGE),
                          "{\"status\": {\"phase\": \"Succeeded\"}}"))
          .isInstanceOf(KubernetesClientException.class)
          .hasMessageContaining("cannot patch resource \"finetunejobs/status\"");

      job.delete();
      assertThat(job.get()).isNull();
    }
  }

  /**
   * Rights on FineTuneJobs within a role of Kubernetes' own, put together as the controller manager
   * does it: by the selectors of that role, and of those that it takes in.
   */
  private static Set<Right> rightsWithin(String name) {
    return aggregated(API.client().rbac().clusterRoles().withName(name).get()).stream()
        .flatMap(role -> Right.of(role.getRules()).stream())
        .filter(right -> right.group().equals("finetune.dev"))
        .collect(Collectors.toSet());
  }

  private static Set<Right> verbs(String... verbs) {
    return Stream.of(verbs)
        .map(verb -> new Right(verb, "finetune.dev", "finetunejobs"))
        .collect(Collectors.toSet());
  }

  private static List<ClusterRole> aggregated(ClusterRole role) {
    if (role.getAggregationRule() == null) {
      return List.of(role);
    }
    List<LabelSelector> selectors = role.getAggregationRule().getClusterRoleSelectors();
    return API.client().rbac().clusterRoles().list().getItems().stream()
        .filter(
            each ->
                selectors.stream().anyMatch(selector -> matches(each, selector.getMatchLabels())))
        .flatMap(each -> aggregated(each).stream())
        .toList();
  }

  private static boolean matches(ClusterRole role, Map<String, String> labels) {
    return role.getMetadata().getLabels() != null
        && role.getMetadata().getLabels().entrySet().containsAll(labels.entrySet());
  }

  private static KubernetesClient user(String name, String namespace) {
    for (ClusterRole role : ROLES) {
      API.client()
          .resource(
              new RoleBindingBuilder()
                  .withNewMetadata()
                  .withName(role.getMetadata().getName())
                  .withNamespace(namespace)
                  .endMetadata()
                  .withNewRoleRef()
                  .withApiGroup("rbac.authorization.k8s.io")
                  .withKind("ClusterRole")
                  .withName(role.getMetadata().getName())
                  .endRoleRef()
                  .addNewSubject()
                  .withApiGroup("rbac.authorization.k8s.io")
                  .withKind("User")
                  .withName(name)
                  .endSubject()
                  .build())
          .create();
    }
    Config config =
        new ConfigBuilder(Config.fromKubeconfig(API.kubeconfig()))
            .withImpersonateUsername(name)
            .build();
    return new KubernetesClientBuilder().withConfig(config).build();
  }
}
