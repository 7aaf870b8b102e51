package dev.finetune.local.apiserver;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.api.model.StatusDetailsBuilder;
import java.util.List;

/** A request that the API server refuses, with the Status that a real one would answer. */
final class RefusedException extends RuntimeException {
  private static final int BAD_REQUEST = 400;
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;
  private static final int UNSUPPORTED_MEDIA_TYPE = 415;
  private static final int UNPROCESSABLE = 422;

  private final transient Status status;

  private RefusedException(int code, String reason, String message, StatusDetails details) {
    super(message);
    this.status =
        new StatusBuilder()
            .withStatus("Failure")
            .withCode(code)
            .withReason(reason)
            .withMessage(message)
            .withDetails(details)
            .build();
  }

  Status status() {
    return status;
  }

  static RefusedException badRequest(String message) {
    return new RefusedException(BAD_REQUEST, "BadRequest", message, new StatusDetails());
  }

  static RefusedException notFound(ResourcePath path) {
    return new RefusedException(
        NOT_FOUND,
        "NotFound",
        "%s \"%s\" not found".formatted(path.qualified(), path.name()),
        new StatusDetails());
  }

  static RefusedException alreadyExists(ResourcePath path, String name) {
    return new RefusedException(
        CONFLICT,
        "AlreadyExists",
        "%s \"%s\" already exists".formatted(path.qualified(), name),
        new StatusDetails());
  }

  static RefusedException modified(ResourcePath path) {
    return new RefusedException(
        CONFLICT,
        "Conflict",
        ("Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply"
                + " your changes to the latest version and try again")
            .formatted(path.qualified(), path.name()),
        new StatusDetails());
  }

  static RefusedException unsupportedPatch(String contentType) {
    return new RefusedException(
        UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format: " + contentType,
        new StatusDetails());
  }

  static RefusedException invalid(
      String kind, String group, String name, List<StatusCause> causes) {
    List<String> faults =
        causes.stream().map(cause -> cause.getField() + ": " + cause.getMessage()).toList();
    String all = faults.size() == 1 ? faults.get(0) : "[" + String.join(", ", faults) + "]";
    return new RefusedException(
        UNPROCESSABLE,
        "Invalid",
        "%s.%s \"%s\" is invalid: %s".formatted(kind, group, name, all),
        new StatusDetailsBuilder()
            .withKind(kind)
            .withGroup(group)
            .withName(name)
            .withCauses(causes)
            .build());
  }
}
