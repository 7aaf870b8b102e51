package dev.finetune.trainer.export;

import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.method.SavedAdapter;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ChangedWeights;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * An adapter merged into its base model, a complete folder. It is written beside its place, loaded
 * again and compared with base and adapter, and only then put there: whole or not at all.
 */
public final class MergedModel {
  private static final String README = "README.md";

  private final ModelFolder base;
  private final Path adapter;
  private final String device;

  /**
   * Names what is merged.
   *
   * @param base the checked base model
   * @param adapter the adapter's folder
   * @param device where both forms are compared: cpu, or cuda:N
   */
  public MergedModel(ModelFolder base, Path adapter, String device) {
    this.base = base;
    this.adapter = adapter;
    this.device = device;
  }

  /** Asked before the folder is put in its place. */
  public interface Permission {
    /** Throws if it may not be. */
    void check() throws IOException;
  }

  /**
   * Merges.
   *
   * @param target where the folder goes; nothing may be there
   * @param permission asked at the end
   * @return what the comparison found, in a sentence
   * @throws TrainerException with {@link TrainerExit#USAGE} if something is there, with {@link
   *     TrainerExit#MODEL} if the adapter can't be merged into this base, with {@link
   *     TrainerExit#OUTPUT} if there is no room or it can't be written
   */
  public String writeTo(Path target, Permission permission) {
    if (Files.exists(target)) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s is there already and isn't written over; name another folder or delete it"
              .formatted(target));
    }
    Path temporary = target.resolveSibling("." + target.getFileName() + ".writing");
    try {
      delete(temporary);
      Files.createDirectories(temporary);
      try {
        String found = writeInto(temporary);
        Files.writeString(temporary.resolve(README), readme(found));
        permission.check();
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        return found;
      } finally {
        delete(temporary);
      }
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "the merged model can't be written to %s: %s".formatted(target, e.getMessage()),
          e);
    }
  }

  private String writeInto(Path folder) throws IOException {
    SavedAdapter loaded = SavedAdapter.load(adapter);
    try (ChangedWeights changed = loaded.merged(base)) {
      ModelExport export = new ModelExport(base, changed);
      requireSpace(folder, export.bytes());
      export.writeTo((name, content) -> write(folder.resolve(name), content));
    }
    return compare(loaded, folder);
  }

  private static void write(Path file, ModelExport.Content content) throws IOException {
    try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
      content.writeTo(out);
    }
    try (FileChannel written = FileChannel.open(file)) {
      written.force(true);
    }
  }

  private static void requireSpace(Path folder, long bytes) throws IOException {
    long usable = Files.getFileStore(folder).getUsableSpace();
    if (usable < bytes) {
      throw new IOException(
          "it takes %,d bytes, and %,d are left; make room".formatted(bytes, usable));
    }
  }

  /** One model at a time is in memory. */
  private String compare(SavedAdapter loaded, Path merged) {
    List<Probe> probes = Probe.of(base.path());
    try {
      List<HostTensor> expected;
      try (CausalLm model = CausalLm.load(base, device, Precision.FP32);
          TextGenerator tuned = loaded.on(model)) {
        expected =
            probes.stream().map(probe -> tuned.logits(probe.ids(), probe.pictures())).toList();
      }
      try (CausalLm model = CausalLm.load(ModelFolder.open(merged), device, Precision.FP32);
          TextGenerator plain = TextGenerator.of(model)) {
        List<HostTensor> actual =
            probes.stream().map(probe -> plain.logits(probe.ids(), probe.pictures())).toList();
        return accepted(MergeCertificate.of(expected, actual));
      }
    } catch (TrainerException e) {
      if (e.exit() != TrainerExit.OUT_OF_MEMORY) {
        throw e;
      }
      return "the merged model was not compared with base and adapter, as float32 weights don't fit"
          + " into memory here";
    }
  }

  private static String accepted(MergeCertificate found) {
    if (!Double.isFinite(found.largestDifference())) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the merged model, or base and adapter, has logits that are NaN or infinite, so nothing is"
              + " written; serve base and adapter apart");
    }
    return found.sentence();
  }

  private String readme(String found) {
    return """
        ---
        library_name: transformers
        base_model: %1$s
        ---

        # Merged model

        The base model `%1$s` with the adapter `%2$s` merged into its weights, which was computed in float32 and
        rounded to the base's types. The tokenizer is the base's.

        Checked after writing: %3$s.

        ```sh
        vllm serve path/to/this/folder
        ```
        """
        .formatted(base.path(), adapter, found);
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
