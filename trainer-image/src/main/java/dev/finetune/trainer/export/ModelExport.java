package dev.finetune.trainer.export;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.ChangedWeights;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.WeightLocation;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import dev.finetune.trainer.safetensors.TensorEntry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Writes a base model with changed weights as a folder of its own: the weights in the base's types,
 * in files of at most 5 GB, its configuration, and its tokenizer as it is. Unchanged weights are
 * copied byte by byte, changed ones some rows at a time, so memory doesn't grow with the model.
 */
public final class ModelExport {
  private static final String HEAD = "lm_head.weight";
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String CONFIG = "config.json";
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  /** transformers' default of max_shard_size. */
  private static final long SHARD_BYTES = 5_000_000_000L;

  /** Elements that are merged at once: 128 MiB of float32. */
  private static final long ELEMENTS_AT_ONCE = 1L << 25;

  /**
   * What belongs to a model beside weights and configuration. Code of its own, which config.json's
   * auto_map names, is copied and never run.
   */
  private static final Pattern COPIED =
      Pattern.compile(
          "tokenizer\\.json|tokenizer_config\\.json|tokenizer\\.model|special_tokens_map\\.json"
              + "|added_tokens\\.json|vocab\\.json|merges\\.txt|chat_template\\.(jinja|json)"
              + "|generation_config\\.json|(pre)?processor_config\\.json|[a-z0-9_]+\\.py|(LICENSE|NOTICE|USE_POLICY).*");

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** Takes the files of a folder, one after another. */
  public interface Folder {
    void write(String name, Content content) throws IOException;
  }

  /** Writes a file's content to a stream. */
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private final ModelFolder base;
  private final ChangedWeights changed;
  private final Map<String, WeightLocation> weights;
  private final boolean tied;
  private final long shardBytes;

  /**
   * Checks that the changed weights are the model's.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if one isn't
   */
  public ModelExport(ModelFolder base, ChangedWeights changed) {
    this(base, changed, SHARD_BYTES);
  }

  /**
   * The same with other files.
   *
   * @param shardBytes most bytes of tensors in a file, unless a single one has more
   */
  public ModelExport(ModelFolder base, ChangedWeights changed, long shardBytes) {
    this.base = base;
    this.changed = changed;
    this.shardBytes = shardBytes;
    this.weights = new TreeMap<>(base.weights());
    Set<String> names = changed.names();
    // A tied head is the embedding's matrix: where one of the two changes, the other mustn't.
    boolean moved = names.contains(HEAD) || names.contains(EMBEDDING);
    this.tied = base.tiedHead() && (changed.tiesHead() || !moved);
    if (base.tiedHead() && !tied) {
      weights.put(HEAD, weights.get(EMBEDDING));
    }
    for (String name : names) {
      if (!weights.containsKey(name)) {
        throw new TrainerException(
            TrainerExit.MODEL,
            "the adapter changes %s, which the model %s doesn't have".formatted(name, base.path()));
      }
    }
  }

  /** How large all tensors are together. */
  long bytes() {
    return weights.values().stream().mapToLong(each -> each.entry().bytes()).sum();
  }

  /** Writes everything into an empty folder. */
  public void writeTo(Folder folder) throws IOException {
    writeWeights(folder);
    folder.write(CONFIG, out -> out.write(config()));
    for (Path file : copied()) {
      folder.write(file.getFileName().toString(), out -> Files.copy(file, out));
    }
  }

  private List<Path> copied() throws IOException {
    try (Stream<Path> files = Files.list(base.path())) {
      return files
          .filter(file -> COPIED.matcher(file.getFileName().toString()).matches())
          .filter(Files::isRegularFile)
          .sorted()
          .toList();
    }
  }

  /** The base's, and where the head is tied no more another one that says so. */
  private byte[] config() throws IOException {
    byte[] original = Files.readAllBytes(base.path().resolve(CONFIG));
    if (tied == base.tiedHead()) {
      return original;
    }
    ObjectNode config = (ObjectNode) JSON.readTree(original);
    config.put("tie_word_embeddings", tied);
    return JSON.writeValueAsBytes(config);
  }

  private void writeWeights(Folder folder) throws IOException {
    List<List<String>> shards = shards();
    if (shards.size() == 1) {
      write(folder, SINGLE, shards.get(0));
      return;
    }
    ObjectNode index = JSON.createObjectNode();
    index.putObject("metadata").put("total_size", bytes());
    ObjectNode map = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String file = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
      shards.get(i).forEach(name -> map.put(base.fileName(name), file));
      write(folder, file, shards.get(i));
    }
    byte[] json = JSON.writeValueAsBytes(index);
    folder.write(INDEX, out -> out.write(json));
  }

  /** The names of each file's tensors. */
  private List<List<String>> shards() {
    List<List<String>> shards = new ArrayList<>();
    long room = 0;
    for (Map.Entry<String, WeightLocation> weight : weights.entrySet()) {
      long bytes = weight.getValue().entry().bytes();
      if (shards.isEmpty() || bytes > room) {
        shards.add(new ArrayList<>());
        room = shardBytes;
      }
      shards.get(shards.size() - 1).add(weight.getKey());
      room -= bytes;
    }
    return shards;
  }

  private void write(Folder folder, String file, List<String> names) throws IOException {
    Map<TensorEntry, String> entries = new LinkedHashMap<>();
    names.forEach(name -> entries.put(entry(name), name));
    folder.write(
        file,
        out ->
            SafetensorsWriter.write(
                Channels.newChannel(out),
                List.copyOf(entries.keySet()),
                (entry, to) -> writeTensor(entry, entries.get(entry), to)));
  }

  /** The base's entry, under the name that it has here. */
  private TensorEntry entry(String name) {
    TensorEntry found = weights.get(name).entry();
    return new TensorEntry(
        base.fileName(name), found.type(), found.shape(), found.offset(), found.bytes());
  }

  private void writeTensor(TensorEntry entry, String name, WritableByteChannel out)
      throws IOException {
    WeightLocation location = weights.get(name);
    if (!changed.names().contains(name)) {
      copy(location, out);
      return;
    }
    long rows = entry.shape()[0];
    long atOnce = Math.max(1, ELEMENTS_AT_ONCE / Math.max(1, entry.elements() / rows));
    for (long first = 0; first < rows; first += atOnce) {
      ByteBuffer bytes = changed.rows(name, location, first, Math.min(atOnce, rows - first));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    }
  }

  private static void copy(WeightLocation location, WritableByteChannel out) throws IOException {
    try (FileChannel in = FileChannel.open(location.file())) {
      long position = location.entry().offset();
      long end = position + location.entry().bytes();
      while (position < end) {
        position += in.transferTo(position, end - position, out);
      }
    }
  }
}
