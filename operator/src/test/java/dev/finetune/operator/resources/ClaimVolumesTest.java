package dev.finetune.operator.resources;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.operator.Jobs;
import io.fabric8.kubernetes.api.model.VolumeMount;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClaimVolumesTest {
  @ParameterizedTest
  @CsvSource({
    "pvc://photos/sights, models data photos results!",
    "pvc://data/sights, models data results!",
    "pvc://models, models data results!",
    "pvc://results/sights, models data results!",
    "file:///photos, models data results!"
  })
  void aFolderOfPicturesIsMountedOnceAndReadOnlyUnlessTheDestinationLiesThere(
      String folder, String mounts) {
    var volumes = ClaimVolumes.of(recipe(folder));

    assertThat(volumes.mounts())
        .extracting(ClaimVolumesTest::described)
        .containsExactly(mounts.split(" "));
  }

  /** The claim, marked where it is writable. */
  private static String described(VolumeMount mount) {
    return mount.getMountPath().replaceFirst(".*/", "")
        + (Boolean.TRUE.equals(mount.getReadOnly()) ? "" : "!");
  }

  private static Recipe recipe(String imageFolder) {
    return Jobs.parse(
            """
            metadata: {name: sights}
            spec:
              recipe:
                model: {source: pvc://models/internvl2-2b}
                dataset:
                  train: [{source: pvc://data/sights.jsonl}]
                  imageFolder: "%s"
                method: {lora: {}}
                output: {destination: pvc://results/sights}
            """
                .formatted(imageFolder))
        .getSpec()
        .recipe();
  }
}
