package dev.finetune.e2e.harness;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * A FineTuneJob as a user writes it: untyped, so that a test can also write what the types don't
 * know. It starts from the file tiny.yaml; a test says only what is special about its own.
 */
public final class Manifest {
  private static final Path TINY = Path.of("src/test/resources/manifests/tiny.yaml");
  private static final ObjectMapper YAML = new YAMLMapper();

  static {
    // Jackson's own way is to append to a list.
    YAML.configOverride(ArrayNode.class).setMergeable(false);
  }

  private final ObjectNode tree;

  private Manifest(ObjectNode tree) {
    this.tree = tree;
  }

  /** A job of a few seconds: forty steps on one GPU. */
  public static Manifest tiny(String name) {
    try {
      ObjectNode tree = (ObjectNode) YAML.readTree(TINY.toFile());
      ((ObjectNode) tree.get("metadata")).put("name", name);
      return new Manifest(tree)
          .spec("recipe: {output: {destination: 'pvc://results/%s'}}".formatted(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A job that trains for longer than any test and saves every twenty steps. */
  public static Manifest endless(String name) {
    return tiny(name).spec("recipe: {training: {epochs: 10000, maxSteps: 1000000, saveSteps: 20}}");
  }

  /**
   * Merges fields over the spec; a list replaces the one before.
   *
   * @param yaml as it stands under spec
   */
  public Manifest spec(String yaml) {
    return merge("spec", yaml);
  }

  /**
   * Merges fields over the metadata.
   *
   * @param yaml as it stands under metadata
   */
  public Manifest metadata(String yaml) {
    return merge("metadata", yaml);
  }

  private Manifest merge(String field, String yaml) {
    try {
      JsonNode merged = YAML.readerForUpdating(tree.get(field)).readValue(yaml);
      tree.set(field, merged);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  GenericKubernetesResource resource() {
    return YAML.convertValue(tree, GenericKubernetesResource.class);
  }
}
