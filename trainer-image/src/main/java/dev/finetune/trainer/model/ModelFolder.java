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
import java.util.Optional;
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

  private final Path path;
  private final Network network;
  private final List<LinearLayer> linearLayers;
  private final List<LinearLayer> modules;
  private final Map<String, long[]> shapes;
  private final Map<String, WeightLocation> weights;

  /** Read when it is asked for; below 0 before. */
  private int pictureToken = -1;

  private ModelFolder(
      Path path, Network network, Map<String, long[]> shapes, Map<String, WeightLocation> weights) {
    this.path = path;
    this.network = network;
    this.linearLayers = List.copyOf(network.linearLayers());
    this.modules = List.copyOf(network.modules());
    this.shapes = Collections.unmodifiableMap(new TreeMap<>(shapes));
    this.weights = Collections.unmodifiableMap(weights);
  }

  /**
   * Checks a folder.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL}: the folder or a file is missing, the
   *     architecture or a setting isn't supported, a file is broken, or weights are missing, extra
   *     or of another shape or type, all of which are listed
   */
  public static ModelFolder open(Path path) {
    Network network = network(path);
    Map<String, long[]> shapes = network.weights();
    return new ModelFolder(
        path, network, shapes, matched(path, network, shapes, WeightFiles.locate(path)));
  }

  /**
   * A model without its weights, from config.json alone: enough to plan with, not to load.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} as {@link #open} has it, but for
   *     weights
   */
  public static ModelFolder ofConfig(Path path) {
    Network network = network(path);
    return new ModelFolder(path, network, network.weights(), Map.of());
  }

  private static Network network(Path path) {
    if (!Files.isDirectory(path)) {
      throw new TrainerException(
          TrainerExit.MODEL, "the model folder " + path + " doesn't exist or isn't a folder");
    }
    ModelConfig root = ModelConfig.read(path.resolve("config.json"));
    if (root.has("quantization_config")) {
      throw root.invalid(
          "quantization_config", "is given; quantized weights aren't supported, take the original");
    }
    return Network.of(root);
  }

  private static Map<String, WeightLocation> matched(
      Path path, Network network, Map<String, long[]> expected, Map<String, WeightLocation> found) {
    Map<String, WeightLocation> others = new TreeMap<>(found);
    List<String> faults = new ArrayList<>();
    Map<String, WeightLocation> weights = new TreeMap<>();
    expected.forEach(
        (weight, shape) -> {
          String name = network.layout().file(weight);
          WeightLocation location = others.remove(name);
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
            weights.put(weight, location);
          }
        });
    String head = network.layout().file(Network.HEAD + ".weight");
    others.keySet().stream()
        .filter(name -> !isRedundant(name, network.tiedHead() ? head : ""))
        .forEach(name -> faults.add("not part of the model: " + name));
    if (!faults.isEmpty()) {
      throw new TrainerException(TrainerExit.MODEL, listed(path, faults));
    }
    return weights;
  }

  /** Old checkpoints carry the rotary frequencies, and some a copy of a tied head. */
  private static boolean isRedundant(String name, String tiedHead) {
    return name.endsWith(".rotary_emb.inv_freq") || name.equals(tiedHead);
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

  /** The configuration of its language model. */
  public ModelConfig config() {
    return network.config();
  }

  /** Every linear layer of the decoder, in the order of the network. */
  public List<LinearLayer> linearLayers() {
    return linearLayers;
  }

  /**
   * All that an adapter can be put on, in the order of the network: the linear layers of a vision
   * tower and its projector, the embedding, the decoder's linear layers, the head.
   */
  public List<LinearLayer> modules() {
    return modules;
  }

  /** The vision tower; empty where the model takes text alone. */
  Optional<VisionTower> tower() {
    return network.tower();
  }

  /** The sizes of the vision tower and its projector; empty where the model takes text alone. */
  public Optional<VisionConfig> vision() {
    return tower().map(VisionTower::config);
  }

  /** Layers of the vision tower; 0 where the model takes text alone. */
  public int towerLayers() {
    return tower().map(each -> each.config().layers()).orElse(0);
  }

  /**
   * The id of the token that stands for a piece of a picture.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if the tokenizer has none
   */
  int pictureToken() {
    if (pictureToken < 0) {
      pictureToken =
          AddedTokens.id(path, PictureInput.TOKEN)
              .orElseThrow(
                  () ->
                      new TrainerException(
                          TrainerExit.MODEL,
                          "the tokenizer in %s has no token %s, which stands for pieces of pictures"
                              .formatted(path, PictureInput.TOKEN)));
    }
    return pictureToken;
  }

  /** What the script's read_tower takes; nothing where the model takes text alone. */
  Map<String, Double> towerNumbers() {
    return tower()
        .map(each -> each.numbers(pictureToken(), PictureNormalization.of(path)))
        .orElse(Map.of());
  }

  /** The shape of every weight, by its name in the scripts; a tied head is not one. */
  public Map<String, long[]> shapes() {
    return shapes;
  }

  /** A weight's name in the folder's files. */
  public String fileName(String weight) {
    return network.layout().file(weight);
  }

  /** The part of the model that a weight is of. */
  public static ModelPart modelPart(String weight) {
    return InternVl.partOf(weight);
  }

  /**
   * The part of the network that a weight belongs to: the index of its decoder layer, -1 for the
   * embedding and what looks at pictures, the number of layers for the final norm and the head.
   */
  public int partOf(String weight) {
    boolean first =
        weight.equals(Network.EMBEDDING + ".weight")
            || modelPart(weight) != ModelPart.LANGUAGE_MODEL;
    return LayerRange.layerOf(weight).orElse(first ? -1 : config().layers());
  }

  /** Numbers in all weights; a tied head counts once. */
  public long parameters() {
    return parameters(LayerRange.all(config().layers()));
  }

  /** Numbers in the weights of a part of the model. */
  public long parameters(ModelPart part) {
    return shapes.entrySet().stream()
        .filter(weight -> modelPart(weight.getKey()) == part)
        .mapToLong(weight -> Arrays.stream(weight.getValue()).reduce(1, (a, b) -> a * b))
        .sum();
  }

  /** Numbers in the weights that some layers read; a tied head counts where it is. */
  public long parameters(LayerRange layers) {
    return parameters(layers, Set.of());
  }

  /** The same without some weights. */
  public long parameters(LayerRange layers, Set<String> without) {
    return shapes.entrySet().stream()
        .filter(weight -> layers.reads(weight.getKey(), tiedHead()))
        .filter(weight -> !without.contains(weight.getKey()))
        .mapToLong(weight -> Arrays.stream(weight.getValue()).reduce(1, (a, b) -> a * b))
        .sum();
  }

  /** What its layers have besides their sizes. */
  public LayerTraits traits() {
    return architecture().traits(config());
  }

  /** Whether the head is the embedding's matrix. */
  public boolean tiedHead() {
    return network.tiedHead();
  }

  Architecture architecture() {
    return network.text();
  }

  /**
   * Where each weight lies, by its name in the scripts; a tied head is not one. Empty where only
   * the configuration was read.
   */
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
