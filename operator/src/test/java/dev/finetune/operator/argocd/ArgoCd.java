package dev.finetune.operator.argocd;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;

/**
 * What Argo CD's application controller asks of an API server for the FineTuneJobs of a namespace.
 */
final class ArgoCd {
  /** The field manager of its server-side applies. */
  static final String MANAGER = "argocd-controller";

  private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final KubernetesClient client;
  private final String namespace;

  ArgoCd(KubernetesClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
  }

  /** Its two ways to sync. */
  enum Way {
    /** As {@code kubectl apply}: with an annotation that holds the manifest. */
    CLIENT_SIDE {
      @Override
      void apply(ArgoCd argoCd, JsonNode manifest) {
        argoCd.applyClientSide(manifest);
      }
    },
    /** With the sync option ServerSideApply=true. */
    SERVER_SIDE {
      @Override
      void apply(ArgoCd argoCd, JsonNode manifest) {
        argoCd.applyServerSide(manifest, List.of());
      }
    };

    /** Syncs a manifest. */
    abstract void apply(ArgoCd argoCd, JsonNode manifest);
  }

  /** The resource as the API server has it. */
  JsonNode live(JsonNode manifest) {
    return JSON.valueToTree(resource(manifest).get());
  }

  /** What the resource would be after a server-side apply; the basis of its server-side diff. */
  JsonNode predicted(JsonNode manifest) {
    return applyServerSide(manifest, List.of("All"));
  }

  /**
   * The live resource without the fields that the manifest doesn't have, in its lists too; its
   * three-way diff compares this with the manifest.
   */
  static JsonNode restricted(JsonNode live, JsonNode manifest) {
    if (live instanceof ObjectNode object && manifest instanceof ObjectNode) {
      ObjectNode result = JSON.createObjectNode();
      manifest
          .properties()
          .forEach(
              field -> {
                if (object.has(field.getKey())) {
                  JsonNode value = restricted(object.get(field.getKey()), field.getValue());
                  result.set(field.getKey(), value);
                }
              });
      return result;
    } else if (live instanceof ArrayNode array && manifest instanceof ArrayNode) {
      ArrayNode result = JSON.createArrayNode();
      for (int i = 0; i < array.size(); i++) {
        result.add(manifest.has(i) ? restricted(array.get(i), manifest.get(i)) : array.get(i));
      }
      return result;
    }
    return live;
  }

  private void applyClientSide(JsonNode manifest) {
    var annotated = manifest.<ObjectNode>deepCopy();
    annotated.withObject("/metadata/annotations").put(LAST_APPLIED, manifest.toString());
    if (resource(manifest).get() == null) {
      resource(annotated).create();
    } else {
      PatchContext context =
          new PatchContext.Builder()
              .withPatchType(PatchType.JSON_MERGE)
              .withFieldManager(MANAGER)
              .build();
      resource(manifest).patch(context, annotated.toString());
    }
  }

  private JsonNode applyServerSide(JsonNode manifest, List<String> dryRun) {
    PatchContext context =
        new PatchContext.Builder()
            .withPatchType(PatchType.SERVER_SIDE_APPLY)
            .withFieldManager(MANAGER)
            .withForce(true)
            .withDryRun(dryRun)
            .build();
    return JSON.valueToTree(resource(manifest).patch(context, manifest.toString()));
  }

  private Resource<GenericKubernetesResource> resource(JsonNode manifest) {
    return client
        .genericKubernetesResources("finetune.dev/v1alpha1", "FineTuneJob")
        .inNamespace(namespace)
        .resource(Serialization.unmarshal(manifest.toString(), GenericKubernetesResource.class));
  }
}
