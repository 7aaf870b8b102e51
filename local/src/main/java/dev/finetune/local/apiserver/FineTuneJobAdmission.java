package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.schema.FineTuneJobSchema;
import dev.finetune.api.schema.SchemaViolation;
import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.api.model.StatusCauseBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the CRD has a real API server do before it stores a FineTuneJob: fill in the defaults, and
 * refuse what the schema doesn't allow. Of the CRD's CEL rules, the two about the object as a whole
 * are written out here; the others the operator's own validator repeats.
 */
final class FineTuneJobAdmission {
  /** What the API server writes for a rule about the object as a whole. */
  private static final String WHOLE_OBJECT = "<nil>";

  private static final int LONGEST_NAME = 52;

  private final FineTuneJobSchema schema = FineTuneJobSchema.load();

  /**
   * The object to store.
   *
   * @param previous what is stored, empty for a new object
   * @throws RefusedException 422, with every violation
   */
  JsonNode admit(JsonNode job, Optional<JsonNode> previous) {
    JsonNode complete = schema.withDefaults(job);
    List<StatusCause> causes = new ArrayList<>();
    for (SchemaViolation violation : schema.check(complete)) {
      causes.add(cause(violation.path(), violation.message()));
    }
    String name = job.at("/metadata/name").asText();
    if (name.length() > LONGEST_NAME) {
      causes.add(
          cause(
              WHOLE_OBJECT,
              "Invalid value: \"object\": metadata.name must be at most 52 characters, so that the names of its"
                  + " Jobs and pods fit"));
    }
    if (previous.filter(FineTuneJobAdmission::started).isPresent()
        && !previous.get().at("/spec/recipe").equals(complete.at("/spec/recipe"))) {
      causes.add(
          cause(
              WHOLE_OBJECT,
              "Invalid value: \"object\": spec.recipe is immutable once the first attempt has started; create a"
                  + " new FineTuneJob for another recipe"));
    }
    if (!causes.isEmpty()) {
      throw RefusedException.invalid("FineTuneJob", "finetune.dev", name, causes);
    }
    return complete;
  }

  private static boolean started(JsonNode job) {
    return !job.at("/status/attempts").isEmpty();
  }

  private static StatusCause cause(String field, String message) {
    return new StatusCauseBuilder()
        .withReason("FieldValueInvalid")
        .withField(field)
        .withMessage(message)
        .build();
  }
}
