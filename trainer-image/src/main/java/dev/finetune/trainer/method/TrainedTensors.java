package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that trains, in the order of the network, which is the order in the script's flat tensors.
 *
 * @param all the tensors
 */
record TrainedTensors(List<TrainedTensor> all) {
  TrainedTensors {
    all = List.copyOf(all);
  }

  /** Those that lie where some decoder layers do. */
  TrainedTensors of(LayerRange layers) {
    return new TrainedTensors(
        all.stream().filter(tensor -> layers.containsPart(tensor.part())).toList());
  }

  /** The entries of a map by file name that are among these, in their order. */
  Map<String, HostTensor> among(Map<String, HostTensor> parts) {
    Map<String, HostTensor> found = new LinkedHashMap<>();
    all.forEach(tensor -> found.put(tensor.fileName(), parts.get(tensor.fileName())));
    return found;
  }

  long elements() {
    return all.stream().mapToLong(TrainedTensor::elements).sum();
  }

  /** The lowest part that trains, at which the backward pass ends. */
  int lowestPart() {
    return all.stream().mapToInt(TrainedTensor::part).min().orElseThrow();
  }

  /**
   * Makes them in the script, with the optimizer's state.
   *
   * @param starts the script's dictionary of those whose start is given, by name
   * @param layers which of them lie here
   * @param rank whose part of the optimizer's state
   * @param ranks number of parts
   */
  ScriptValue create(
      TorchScript script,
      ScriptValue starts,
      LayerRange layers,
      long seed,
      int rank,
      int ranks,
      String device) {
    List<ParameterGroup> groups = all.stream().map(TrainedTensor::group).distinct().toList();
    return script.call(
        "new_trained",
        all.stream().map(TrainedTensor::name).toList(),
        all.stream().mapToLong(tensor -> tensor.part() + 1).toArray(),
        all.stream().mapToLong(TrainedTensor::rows).toArray(),
        all.stream().mapToLong(TrainedTensor::columns).toArray(),
        all.stream().map(tensor -> tensor.start().scriptName()).toList(),
        starts,
        all.stream().mapToLong(tensor -> groups.indexOf(tensor.group())).toArray(),
        groups.stream().map(ParameterGroup::rateFactor).toList(),
        groups.stream().mapToLong(group -> group.decays() ? 1 : 0).toArray(),
        layers.layers(),
        layers.first(),
        layers.end(),
        seed,
        rank,
        ranks,
        device);
  }

  /** Copies them out of one of the script's flat tensors, by file name. */
  Map<String, HostTensor> read(TorchScript script, ScriptValue flat) {
    Map<String, HostTensor> parts = new LinkedHashMap<>();
    long offset = 0;
    for (TrainedTensor tensor : all) {
      parts.put(
          tensor.fileName(),
          script.callTensor("read_tensor", flat, offset, tensor.rows(), tensor.columns()));
      offset += tensor.elements();
    }
    return parts;
  }

  /** Copies them, given by file name, into one of the script's flat tensors. */
  void write(TorchScript script, ScriptValue flat, Map<String, HostTensor> parts) {
    long offset = 0;
    for (TrainedTensor tensor : all) {
      script.run("write_tensor", flat, offset, parts.get(tensor.fileName()));
      offset += tensor.elements();
    }
  }

  /**
   * Checks a checkpoint's tensors against these.
   *
   * @throws TrainerException naming the first that is missing, unknown or of another shape
   */
  void check(String what, Map<String, HostTensor> parts) {
    for (TrainedTensor tensor : all) {
      HostTensor part = parts.get(tensor.fileName());
      if (part == null) {
        throw unlike(what, "has no tensor " + tensor.fileName());
      }
      if (!part.dtype().equals("F32") || !Arrays.equals(part.shape(), tensor.shape())) {
        throw unlike(
            what,
            "has %s as %s %s instead of F32 %s"
                .formatted(
                    tensor.fileName(),
                    part.dtype(),
                    Arrays.toString(part.shape()),
                    Arrays.toString(tensor.shape())));
      }
    }
    if (parts.size() > all.size()) {
      Set<String> unknown = new LinkedHashSet<>(parts.keySet());
      all.forEach(tensor -> unknown.remove(tensor.fileName()));
      throw unlike(what, "has tensors that this run doesn't train: " + unknown);
    }
  }

  private static TrainerException unlike(String what, String difference) {
    return new TrainerException(
        TrainerExit.MODEL,
        "%s of the checkpoint %s; it was made with another model or other settings of the method"
            .formatted(what, difference));
  }
}
