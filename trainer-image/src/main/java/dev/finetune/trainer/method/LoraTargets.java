package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.LinearLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Finds the linear layers that a recipe's targetModules name. */
public final class LoraTargets {
  /** Every linear layer of the decoder layers. */
  static final String ALL_LINEAR = "all-linear";

  private LoraTargets() {}

  /**
   * The layers that any of the targets names: all-linear, which is all but the embedding and the
   * head, the last parts of a path such as q_proj or self_attn.q_proj, or a whole path. PEFT
   * matches in the same way. Where a folder has names of its own, such as InternLM2's wo and
   * tok_embeddings, those of transformers name its layers too.
   *
   * @return in the order of the network
   * @throws TrainerException with {@link TrainerExit#USAGE}, listing the linear layers that there
   *     are, if a target names none
   */
  public static List<LinearLayer> resolve(List<String> targets, List<LinearLayer> layers) {
    List<String> unknown =
        targets.stream()
            .filter(target -> layers.stream().noneMatch(layer -> names(target, layer)))
            .toList();
    if (!unknown.isEmpty()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "targetModules names nothing in this model with %s; there are %s,"
                  .formatted(quoted(unknown), suffixes(layers))
              + " each of them also by its whole path such as %s, and all-linear is all but the embedding and the head"
                  .formatted(layers.get(layers.size() / 2).module()));
    }
    List<LinearLayer> resolved = new ArrayList<>(layers);
    resolved.removeIf(layer -> targets.stream().noneMatch(target -> names(target, layer)));
    return resolved;
  }

  private static boolean names(String target, LinearLayer layer) {
    return (target.equals(ALL_LINEAR) && layer.isInner()) || layer.isNamedAnywhere(target);
  }

  private static String quoted(List<String> names) {
    return names.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", "));
  }

  private static String suffixes(List<LinearLayer> layers) {
    return layers.stream()
        .map(LinearLayer::moduleSuffix)
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
