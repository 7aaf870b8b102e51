package dev.finetune.operator.observe;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.quarkus.kubernetes.client.KubernetesClientObjectMapperCustomizer;
import jakarta.inject.Singleton;

/**
 * Leaves {@code metadata.managedFields} unread in everything that the API server sends: it is a
 * third to a half of an object's size, and nobody here looks at it.
 *
 * <p>Not done by a store of the informer, because one store would be shared by the informers of
 * several namespaces, each of which drops what it didn't list itself.
 */
@Singleton
class ManagedFieldsFilter implements KubernetesClientObjectMapperCustomizer {
  @Override
  public void customize(ObjectMapper mapper) {
    mapper.addMixIn(ObjectMeta.class, WithoutManagedFields.class);
  }

  @JsonIgnoreProperties("managedFields")
  private interface WithoutManagedFields {}
}
