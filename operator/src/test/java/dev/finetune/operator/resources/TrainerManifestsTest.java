package dev.finetune.operator.resources;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.TestConfig;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * One folder per shape of a FineTuneJob: what goes in, and the children that must come out. A
 * failure prints the whole child, so that an intended change can be copied into the file.
 */
class TrainerManifestsTest {
  private static final Path CASES = Path.of("src/test/resources/TrainerManifestsTest");
  private static final String SERVICE_FILE = "out-Service.yaml";
  private static final int ATTEMPT = 2;

  @TestFactory
  Stream<DynamicTest> theChildrenAreThoseOfTheFolder() throws IOException {
    return folders().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
  }

  @Test
  void everyFileOfAFolderIsRead() throws IOException {
    for (Path folder : folders()) {
      assertThat(names(folder))
          .as("files of %s", folder)
          .containsExactlyElementsOf(
              Ranks.of(input(folder)).severalNodes()
                  ? List.of(
                      "in-FineTuneJob.yaml", "out-ConfigMap.yaml", "out-Job.yaml", SERVICE_FILE)
                  : List.of("in-FineTuneJob.yaml", "out-ConfigMap.yaml", "out-Job.yaml"));
    }
  }

  @Test
  void theLongestNameThatAFineTuneJobMayHaveLeavesRoomForItsService() {
    String longest = "7" + "b".repeat(51);

    assertThat(ResourceNames.service(Jobs.named(longest)))
        .hasSizeLessThanOrEqualTo(63)
        .matches("[a-z]([-a-z0-9]*[a-z0-9])?");
  }

  @TestFactory
  Stream<DynamicTest> theRecipeIsReadBackAsItWas() throws IOException {
    return folders().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    folder.getFileName().toString(),
                    () -> {
                      FineTuneJob job = input(folder);
                      String recipe =
                          TrainerConfigMap.desired(job).getData().get(TrainerConfigMap.RECIPE_KEY);
                      ObjectMapper yaml = new YAMLMapper();
                      assertThat(yaml.readValue(recipe, Recipe.class))
                          .isEqualTo(job.getSpec().recipe());
                      assertThat(yaml.readTree(recipe).at("/training/maxGradNorm").isTextual())
                          .isFalse();
                    }));
  }

  @Test
  void theSameJobGivesTheSameChildren() throws IOException {
    for (Path folder : folders()) {
      assertThat(TrainerJob.desired(input(folder), 1, TestConfig.defaults()))
          .isEqualTo(TrainerJob.desired(input(folder), 1, TestConfig.defaults()));
    }
  }

  private static void check(Path folder) throws IOException {
    FineTuneJob job = input(folder);
    compare(folder.resolve("out-ConfigMap.yaml"), TrainerConfigMap.desired(job));
    Optional<Service> service = TrainerService.desired(job);
    assertThat(service.isPresent()).isEqualTo(Files.exists(folder.resolve(SERVICE_FILE)));
    if (service.isPresent()) {
      compare(folder.resolve(SERVICE_FILE), service.get());
    }
    compare(
        folder.resolve("out-Job.yaml"), TrainerJob.desired(job, ATTEMPT, TestConfig.defaults()));
  }

  private static void compare(Path expected, HasMetadata actual) throws IOException {
    assertThat(Serialization.asYaml(actual)).isEqualTo(Files.readString(expected));
  }

  private static FineTuneJob input(Path folder) throws IOException {
    return Jobs.parse(Files.readString(folder.resolve("in-FineTuneJob.yaml")));
  }

  private static List<Path> folders() throws IOException {
    try (Stream<Path> folders = Files.list(CASES)) {
      return folders.sorted().toList();
    }
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      Set<String> names = new TreeSet<>();
      files.forEach(file -> names.add(file.getFileName().toString()));
      return names;
    }
  }
}
