package dev.finetune.trainer.method;

import dev.finetune.trainer.safetensors.HostTensor;
import java.util.Map;

/**
 * What trains, by file name.
 *
 * @param tensors the values
 * @param start what those began with whose start was taken out of the base model's weights
 */
record TunedValues(Map<String, HostTensor> tensors, Map<String, HostTensor> start) {}
