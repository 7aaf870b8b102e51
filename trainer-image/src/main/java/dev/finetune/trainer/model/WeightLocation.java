package dev.finetune.trainer.model;

import dev.finetune.trainer.safetensors.TensorEntry;
import java.nio.file.Path;

/**
 * Where a weight lies on disk.
 *
 * @param file the safetensors file
 * @param entry its place in it
 */
record WeightLocation(Path file, TensorEntry entry) {}
