package dev.finetune.operator.argocd;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A committed file whose content follows from the Lua scripts or from the operator's own code.
 *
 * @param path from the folder argocd
 * @param content what it should hold
 */
public record ArgoCdFile(Path path, String content) {
  /** What brings every file up to date. */
  static final String COMMAND = "mvn -pl operator -am -Pgenerate process-test-classes";

  /** Scripts and their tests, from the folder argocd, as Argo CD's own source tree has them. */
  static final Path SCRIPTS = Path.of("resource_customizations/finetune.dev/FineTuneJob");

  private static final String KEY = "resource.customizations.%s.finetune.dev_FineTuneJob";

  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder()
              .enable(YAMLGenerator.Feature.LITERAL_BLOCK_STYLE)
              .disable(YAMLGenerator.Feature.SPLIT_LINES)
              .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
              .build());

  /** Every generated file; {@code folder} is the folder argocd, which has the scripts. */
  static List<ArgoCdFile> all(Path folder) throws IOException {
    var files = new ArrayList<ArgoCdFile>();
    for (JobMoment moment : JobMoment.all()) {
      Path path = SCRIPTS.resolve("testdata").resolve(moment.name() + ".yaml");
      files.add(new ArgoCdFile(path, yaml(moment.job())));
    }
    files.add(new ArgoCdFile(Path.of("argocd-cm.yaml"), yaml(configMap(folder.resolve(SCRIPTS)))));
    return files;
  }

  /** Writes all files below the folder that is given; run by the Maven profile generate. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    for (ArgoCdFile file : all(folder)) {
      Path target = folder.resolve(file.path);
      Files.createDirectories(target.getParent());
      Files.writeString(target, file.content);
    }
  }

  private static ConfigMap configMap(Path scripts) throws IOException {
    var actions = new LinkedHashMap<String, Object>();
    actions.put("discovery.lua", Files.readString(scripts.resolve("actions/discovery.lua")));
    actions.put("definitions", List.of(action(scripts, "suspend"), action(scripts, "resume")));
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName("argocd-cm")
        .withNamespace("argocd")
        .endMetadata()
        .addToData(KEY.formatted("health"), Files.readString(scripts.resolve("health.lua")))
        .addToData(KEY.formatted("actions"), yaml(actions))
        .addToData(
            KEY.formatted("ignoreDifferences"),
            yaml(Map.of("jsonPointers", List.of("/spec/suspend"))))
        .build();
  }

  private static Map<String, String> action(Path scripts, String name) throws IOException {
    var action = new LinkedHashMap<String, String>();
    action.put("name", name);
    action.put("action.lua", Files.readString(scripts.resolve("actions/" + name + "/action.lua")));
    return action;
  }

  private static String yaml(Object value) throws JsonProcessingException {
    return YAML.writeValueAsString(value);
  }
}
