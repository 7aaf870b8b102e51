package dev.finetune.trainer.model;

/** Which part of a model a layer is of; a model that takes text alone is a language model. */
public enum ModelPart {
  LANGUAGE_MODEL,
  /** What turns the tower's features into embeddings. */
  PROJECTOR,
  VISION_TOWER
}
