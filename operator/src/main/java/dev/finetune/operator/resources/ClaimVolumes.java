package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The claims that a recipe names, each mounted once and whole at {@code /mnt/volumes/CLAIM}. Only
 * the destination's is writable: a trainer can't harm the model or the data that it reads, unless
 * they share the destination's claim.
 *
 * <p>Whole, and not by {@code subPath}, although that would hide a claim's other folders: the
 * kubelet makes a missing subPath as root with mode 0750, so that a new destination couldn't be
 * written by the trainer's user, and a missing source would be an empty folder, or a container that
 * never starts, instead of exit code 65 or 66 with the path in words.
 */
record ClaimVolumes(List<String> claims, Optional<String> writable) {
  /** Of the names of the claims' volumes. */
  static final String PREFIX = "claim-";

  private static final String SCHEME = "pvc://";

  /** The claims in the order in which the recipe names them: model, data, pictures, destination. */
  static ClaimVolumes of(Recipe recipe) {
    Set<String> claims = new LinkedHashSet<>();
    claim(recipe.model().source()).ifPresent(claims::add);
    data(recipe.dataset()).flatMap(source -> claim(source).stream()).forEach(claims::add);
    Optional<String> writable = claim(recipe.output().destination());
    writable.ifPresent(claims::add);
    return new ClaimVolumes(List.copyOf(claims), writable);
  }

  List<Volume> volumes() {
    var volumes = new ArrayList<Volume>();
    for (String claim : claims) {
      volumes.add(
          new VolumeBuilder()
              .withName(volumeName(claim))
              .withNewPersistentVolumeClaim()
              .withClaimName(claim)
              .endPersistentVolumeClaim()
              .build());
    }
    return volumes;
  }

  List<VolumeMount> mounts() {
    var mounts = new ArrayList<VolumeMount>();
    for (String claim : claims) {
      boolean readOnly = !writable.equals(Optional.of(claim));
      mounts.add(
          new VolumeMountBuilder()
              .withName(volumeName(claim))
              .withMountPath(TrainerEnvironment.VOLUMES_FOLDER + "/" + claim)
              .withReadOnly(readOnly ? true : null)
              .build());
    }
    return mounts;
  }

  /**
   * Numbered, not named after the claim: a claim's name may have dots and 253 characters, a
   * volume's may not.
   */
  private String volumeName(String claim) {
    return PREFIX + claims.indexOf(claim);
  }

  private static Stream<String> data(DatasetOptions dataset) {
    Stream<DatasetSource> validation =
        dataset.validation() == null || dataset.validation().sources() == null
            ? Stream.empty()
            : dataset.validation().sources().stream();
    return Stream.concat(
        Stream.concat(dataset.train().stream(), validation).map(DatasetSource::source),
        Stream.ofNullable(dataset.imageFolder()));
  }

  private static Optional<String> claim(String source) {
    if (!source.startsWith(SCHEME)) {
      return Optional.empty();
    }
    String rest = source.substring(SCHEME.length());
    int slash = rest.indexOf('/');
    return Optional.of(slash < 0 ? rest : rest.substring(0, slash));
  }
}
