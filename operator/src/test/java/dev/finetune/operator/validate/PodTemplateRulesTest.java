package dev.finetune.operator.validate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.TestConfig;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PodTemplateRulesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{spec: {priorityClassName: research, hostNetwork: false}}",
        "{metadata: {labels: {team: support}, annotations: {a: b}}}",
        "{spec: {initContainers: [{name: proxy, image: proxy:1, restartPolicy: Always}]}}",
        "{spec: {volumes: [{name: tmp, emptyDir: {sizeLimit: 5Gi}}]}}",
        "{spec: {containers: [{name: trainer, ports: [{containerPort: 9400}]}]}}",
        "{spec: {containers: [{name: trainer, env: [{name: HF_HOME, value: /tmp}]}]}}",
        "{spec: {containers: [{name: trainer, resources: {limits: {cpu: 8}}}]}}",
        "{spec: {terminationGracePeriodSeconds: 600}}",
        // The API server knows all names of fields; it is asked strictly.
        "{spec: {tolerationz: []}}"
      })
  void whatTheOperatorDoesNotRelyOnIsTheUsers(String template) {
    assertThat(violations(template)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{metadata: {labels: {finetune.dev/job: x}}} | .metadata.labels[finetune.dev/job]",
        "{metadata: {labels: null}} | .metadata.labels[app.kubernetes.io/component]",
        "{spec: {restartPolicy: OnFailure}} | .spec.restartPolicy",
        "{spec: {containers: [{name: trainer, command: [sh]}]}} | [name=trainer].command",
        "{spec: {containers: [{name: trainer, args: null}]}} | [name=trainer].args",
        "{spec: {containers: [{name: trainer, terminationMessagePath: /x}]}} |"
            + " .terminationMessagePath",
        "{spec: {containers: [{name: trainer, ports: null}]}} | .ports[containerPort=8080]",
        "{spec: {containers: [{name: trainer, env: [{name: FINETUNE_ATTEMPT, value: '9'}]}]}} |"
            + " .env[name=FINETUNE_ATTEMPT]",
        "{spec: {containers: [{name: trainer, volumeMounts: [{mountPath: /etc/finetune, name: x}]}]}}"
            + " | .volumeMounts[mountPath=/etc/finetune]",
        "{spec: {volumes: [{name: claim-0, emptyDir: {}}]}} | .spec.volumes[name=claim-0]",
        "{spec: {containers: [{name: trainer, resources: {limits: {nvidia.com/gpu: 8}}}]}} |"
            + " .limits[nvidia.com/gpu]",
        "{spec: {containers: null}} | [name=trainer].args"
      })
  void whatTheOperatorReliesOnMustStay(String template, String field) {
    assertThat(violations(template))
        .anySatisfy(
            violation -> {
              assertThat(violation.field()).startsWith("spec.pod.template").endsWith(field);
              assertThat(violation.message()).startsWith("must stay what it is: ");
            });
  }

  @Test
  void severalPodsKeepTheHostNamesByWhichTheyMeet() {
    assertThat(violations("{spec: {subdomain: mine}}")).isEmpty();
    FineTuneJob job =
        Jobs.with(
            Jobs.named("tune"),
            """
            resources: {nodes: 2, gpusPerNode: 1, gpuResource: nvidia.com/gpu}
            pod: {template: {spec: {subdomain: mine}}}
            """);

    assertThat(FineTuneJobValidator.validate(job, TestConfig.defaults()))
        .extracting(Violation::field)
        .containsExactly("spec.pod.template.spec.subdomain");
  }

  @Test
  void aSecondContainerWouldKeepThePodAndItsGpus() {
    assertThat(violations("{spec: {containers: [{name: logs, image: logs:1}]}}"))
        .singleElement()
        .satisfies(
            violation -> {
              assertThat(violation.field())
                  .isEqualTo("spec.pod.template.spec.containers[name=logs]");
              assertThat(violation.message()).contains("initContainers with restartPolicy Always");
            });
  }

  @Test
  void anItemWithoutItsMergeKeyBelongsToNoOther() {
    assertThat(violations("{spec: {containers: [{image: x}]}}"))
        .extracting(Violation::field)
        .containsExactly("spec.pod.template.spec.containers[0].name");
  }

  @Test
  void aDirectiveOfAPatchIsRefusedAndNotTakenForAField() {
    assertThat(violations("{spec: {volumes: [{name: tmp, $patch: delete}]}}"))
        .extracting(Violation::field)
        .containsExactly("spec.pod.template.spec.volumes[0].$patch");
  }

  @Test
  void aValueOfTheWrongTypeIsNamed() {
    assertThat(violations("{spec: {terminationGracePeriodSeconds: soon}}"))
        .singleElement()
        .satisfies(violation -> assertThat(violation.message()).contains("soon"));
  }

  private static List<Violation> violations(String template) {
    FineTuneJob job = Jobs.with(Jobs.named("tune"), "pod: {template: " + template + "}");
    return FineTuneJobValidator.validate(job, TestConfig.defaults());
  }
}
