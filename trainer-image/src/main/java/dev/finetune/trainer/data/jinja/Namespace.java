package dev.finetune.trainer.data.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** The object of {@code namespace()}: attributes that a set inside a loop can change. */
final class Namespace {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  Map<String, Object> attributes() {
    return attributes;
  }
}
