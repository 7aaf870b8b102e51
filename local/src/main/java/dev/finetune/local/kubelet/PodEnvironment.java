package dev.finetune.local.kubelet;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The environment variables of a container's process. */
final class PodEnvironment {
  /** What an image would bring with it. Nothing else of this machine's environment gets through. */
  private static final List<String> INHERITED =
      List.of("PATH", "HOME", "JAVA_HOME", "LANG", "LC_ALL", "TMPDIR");

  private static final String ANY_ADDRESS = "0.0.0.0:";

  private final KubernetesClient client;
  private final MasterAddress master;

  PodEnvironment(KubernetesClient client) {
    this.client = client;
    this.master = new MasterAddress(client);
  }

  /**
   * The variables. A value 0.0.0.0:PORT becomes the pod's address, since all pods share the
   * machine's network.
   *
   * @throws MountException where a secret, or the pod that the others look for, isn't there
   */
  Map<String, String> of(Pod pod, Container container, String address, PodFolder folder)
      throws MountException {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String name : INHERITED) {
      if (System.getenv(name) != null) {
        variables.put(name, System.getenv(name));
      }
    }
    variables.put("HOSTNAME", hostname(pod));
    for (EnvVar variable : container.getEnv()) {
      String value = value(pod, variable);
      if (variable.getName().equals(TrainerEnvironment.MASTER_ADDRESS)) {
        value = master.resolve(value, pod, address);
      }
      variables.put(
          variable.getName(),
          value.startsWith(ANY_ADDRESS)
              ? address + ":" + value.substring(ANY_ADDRESS.length())
              : folder.rewrite(value));
    }
    return variables;
  }

  private String value(Pod pod, EnvVar variable) throws MountException {
    if (variable.getValueFrom() == null) {
      return variable.getValue() == null ? "" : variable.getValue();
    }
    if (variable.getValueFrom().getFieldRef() != null) {
      return PodFields.value(pod, variable.getValueFrom().getFieldRef());
    }
    SecretKeySelector reference = variable.getValueFrom().getSecretKeyRef();
    if (reference == null) {
      throw new MountException(
          "variable "
              + variable.getName()
              + " takes its value from something else than a secret or a field of the pod, which the"
              + " embedded cluster doesn't know");
    }
    String namespace = pod.getMetadata().getNamespace();
    Secret secret = client.secrets().inNamespace(namespace).withName(reference.getName()).get();
    if (secret == null) {
      throw new MountException("secret \"" + reference.getName() + "\" not found");
    }
    return decoded(secret, reference);
  }

  /** A real API server turns stringData into data; this one keeps both. */
  private static String decoded(Secret secret, SecretKeySelector reference) throws MountException {
    String key = reference.getKey();
    if (secret.getStringData() != null && secret.getStringData().containsKey(key)) {
      return secret.getStringData().get(key);
    }
    if (secret.getData() == null || !secret.getData().containsKey(key)) {
      throw new MountException(
          "couldn't find key %s in Secret %s/%s"
              .formatted(key, secret.getMetadata().getNamespace(), reference.getName()));
    }
    return new String(
        Base64.getDecoder().decode(secret.getData().get(key)), StandardCharsets.UTF_8);
  }

  private static String hostname(Pod pod) {
    String hostname = pod.getSpec().getHostname();
    return hostname == null ? pod.getMetadata().getName() : hostname;
  }
}
