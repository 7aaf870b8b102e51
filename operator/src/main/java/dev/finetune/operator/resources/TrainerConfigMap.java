package dev.finetune.operator.resources;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Recipe;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import java.io.IOException;
import java.math.BigDecimal;

/** The ConfigMap that hands the recipe to the trainer. */
public final class TrainerConfigMap {
  /** Key of the recipe, and its file name in the pod. */
  public static final String RECIPE_KEY = "recipe.yaml";

  private static final ObjectMapper YAML =
      YAMLMapper.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .disable(YAMLGenerator.Feature.SPLIT_LINES)
          .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
          .addModule(new SimpleModule().addSerializer(Double.class, new PlainDouble()))
          .build();

  private TrainerConfigMap() {}

  /** The desired object. It is immutable, as the recipe is once an attempt has started. */
  public static ConfigMap desired(FineTuneJob job) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(ResourceNames.configMap(job))
        .withNamespace(job.getMetadata().getNamespace())
        .withLabels(Labels.ofJob(job))
        .withOwnerReferences(Ownership.reference(job))
        .endMetadata()
        .withImmutable(true)
        .addToData(RECIPE_KEY, yaml(job.getSpec().recipe()))
        .build();
  }

  private static String yaml(Recipe recipe) {
    try {
      return YAML.writeValueAsString(recipe);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a recipe that was read from JSON can't be written", e);
    }
  }

  /**
   * Writes 1e9 as 1000000000: YAML 1.1 takes Java's {@code 1.0E9}, which has no sign in its
   * exponent, for a string.
   */
  private static final class PlainDouble extends StdSerializer<Double> {
    private static final long serialVersionUID = 1;

    PlainDouble() {
      super(Double.class);
    }

    @Override
    public void serialize(Double value, JsonGenerator generator, SerializerProvider provider)
        throws IOException {
      generator.writeNumber(BigDecimal.valueOf(value).stripTrailingZeros());
    }
  }
}
