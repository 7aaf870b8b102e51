package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.safetensors.TensorType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A model in Hugging Face's layout whose configuration is supported and whose weight files hold
 * exactly the weights that the configuration asks for. Opening one reads headers only.
 */
public final class ModelFolder {
  private static final Set<TensorType> WEIGHT_TYPES =
      EnumSet.of(TensorType.F32, TensorType.BF16, TensorType.F16);

  private static final int MOST_SHOWN = 10;

  private static final String EMBEDDING = "model.embed_tokens";
  private static final String HEAD = "lm_head";

  private final Path path;
  private final ModelConfig config;
  private final Architecture architecture;
  private final Map<String, WeightLocation> weights;

  private ModelFolder(
      Path path,
      ModelConfig config,
      Architecture architecture,
      Map<String, WeightLocation> weights) {
    this.path = path;
    this.config = config;
    this.architecture = architecture;
    this.weights = weights;
  }

  /**
   * Checks a folder.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL}: the folder or a file is missing, the
   *     architecture or a setting isn't supported, a file is broken, or weights are missing, extra
   *     or of another shape or type, all of which are listed
   */
  public static ModelFolder open(Path path) {
    if (!Files.isDirectory(path)) {
      throw new TrainerException(
          TrainerExit.MODEL, "the model folder " + path + " doesn't exist or isn't a folder");
    }
    ModelConfig config = ModelConfig.read(path.resolve("config.json"));
    Architecture architecture = Architectures.of(config);
    if (config.has("quantization_config")) {
      throw config.invalid(
          "quantization_config", "is given; quantized weights aren't supported, take the original");
    }
    architecture.check(config);
    Map<String, WeightLocation> found = WeightFiles.locate(path);
    Map<String, WeightLocation> weights =
        matched(path, architecture.weights(config), found, architecture.tiedHead(config));
    return new ModelFolder(path, config, architecture, Collections.unmodifiableMap(weights));
  }

  private static Map<String, WeightLocation> matched(
      Path path,
      Map<String, long[]> expected,
      Map<String, WeightLocation> found,
      boolean tiedHead) {
    List<String> faults = new ArrayList<>();
    Map<String, WeightLocation> weights = new TreeMap<>();
    expected.forEach(
        (name, shape) -> {
          WeightLocation location = found.get(name);
          if (location == null) {
            faults.add("missing: " + name);
          } else if (!Arrays.equals(location.entry().shape(), shape)) {
            faults.add(
                "%s has the shape %s, config.json asks for %s"
                    .formatted(
                        name, Arrays.toString(location.entry().shape()), Arrays.toString(shape)));
          } else if (!WEIGHT_TYPES.contains(location.entry().type())) {
            faults.add(
                "%s is %s, not one of %s".formatted(name, location.entry().type(), WEIGHT_TYPES));
          } else {
            weights.put(name, location);
          }
        });
    found.keySet().stream()
        .filter(name -> !expected.containsKey(name) && !isRedundant(name, tiedHead))
        .forEach(name -> faults.add("not part of the model: " + name));
    if (!faults.isEmpty()) {
      throw new TrainerException(TrainerExit.MODEL, listed(path, faults));
    }
    return weights;
  }

  /** Old checkpoints carry the rotary frequencies, and some a copy of a tied head. */
  private static boolean isRedundant(String name, boolean tiedHead) {
    return name.endsWith(".rotary_emb.inv_freq") || (tiedHead && name.equals("lm_head.weight"));
  }

  private static String listed(Path path, List<String> faults) {
    StringBuilder message =
        new StringBuilder("the weights in %s don't fit its config.json:".formatted(path));
    faults.stream().limit(MOST_SHOWN).forEach(fault -> message.append("\n  ").append(fault));
    if (faults.size() > MOST_SHOWN) {
      message.append("\n  and %d more".formatted(faults.size() - MOST_SHOWN));
    }
    return message.toString();
  }

  /** Where it lies. */
  public Path path() {
    return path;
  }

  /** Its config.json. */
  public ModelConfig config() {
    return config;
  }

  /** Every linear layer but the head, in the order of the network. */
  public List<LinearLayer> linearLayers() {
    return architecture.linearLayers(config);
  }

  /** The linear layers with the embedding before them and the head behind. */
  public List<LinearLayer> modules() {
    long hidden = config.hiddenSize();
    List<LinearLayer> modules = new ArrayList<>();
    modules.add(new LinearLayer(EMBEDDING, -1, config.vocabularySize(), hidden));
    modules.addAll(linearLayers());
    modules.add(new LinearLayer(HEAD, config.layers(), hidden, config.vocabularySize()));
    return modules;
  }

  /** The shape of every weight, by name; a tied head is not one. */
  public Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new TreeMap<>();
    weights.forEach((name, location) -> shapes.put(name, location.entry().shape()));
    return shapes;
  }

  /**
   * The part of the network that a weight belongs to: the index of its decoder layer, -1 for the
   * embedding, the number of layers for the final norm and the head.
   */
  public int partOf(String weight) {
    return LayerRange.layerOf(weight)
        .orElse(weight.equals(EMBEDDING + ".weight") ? -1 : config.layers());
  }

  /** Numbers in all weights; a tied head counts once. */
  public long parameters() {
    return weights.values().stream().mapToLong(weight -> weight.entry().elements()).sum();
  }

  /** Numbers in the weights that some layers read; a tied head counts where it is. */
  public long parameters(LayerRange layers) {
    return weights(layers).values().stream().mapToLong(weight -> weight.entry().elements()).sum();
  }

  /** The same without some weights. */
  public long parameters(LayerRange layers, Set<String> without) {
    return weights(layers).entrySet().stream()
        .filter(weight -> !without.contains(weight.getKey()))
        .mapToLong(weight -> weight.getValue().entry().elements())
        .sum();
  }

  /** What its layers have besides their sizes. */
  public LayerTraits traits() {
    return architecture.traits(config);
  }

  /** Whether the head is the embedding's matrix. */
  public boolean tiedHead() {
    return architecture.tiedHead(config);
  }

  Architecture architecture() {
    return architecture;
  }

  /** Where each weight lies, by name; a tied head is not one. */
  public Map<String, WeightLocation> weights() {
    return weights;
  }

  /** The weights that some layers read. */
  Map<String, WeightLocation> weights(LayerRange layers) {
    Map<String, WeightLocation> read = new TreeMap<>(weights);
    read.keySet().removeIf(name -> !layers.reads(name, tiedHead()));
    return read;
  }
}
