package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.DeviceMemoryException;
import dev.finetune.trainer.engine.ScriptSource;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchRuntime;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A loaded language model, or some consecutive layers of one: its compiled script and its frozen
 * weights on a device.
 */
public final class CausalLm implements AutoCloseable {
  /** Logits that live at once on a CPU: 16 MiB of float32, small beside the weights. */
  private static final long CPU_LOGITS = 1L << 22;

  /** On a GPU larger products are faster: 256 MiB of float32. */
  private static final long GPU_LOGITS = 1L << 26;

  /** What all architectures share. */
  private static final List<String> SHARED_SCRIPTS = List.of("causal_lm.py", "nf4.py", "vision.py");

  private final ModelFolder folder;
  private final LayerRange layers;
  private final String device;
  private final int torchType;
  private final TorchScript script;
  private final ScriptValue config;
  private final ScriptValue tower;
  private final ScriptValue weights;

  private CausalLm(
      ModelFolder folder,
      LayerRange layers,
      String device,
      int torchType,
      TorchScript script,
      ScriptValue config,
      ScriptValue tower,
      ScriptValue weights) {
    this.folder = folder;
    this.layers = layers;
    this.device = device;
    this.torchType = torchType;
    this.script = script;
    this.config = config;
    this.tower = tower;
    this.weights = weights;
  }

  /**
   * Loads a model.
   *
   * @param folder its checked folder
   * @param device cpu, or cuda:N
   * @param precision type to compute with; Auto is FP32 on a CPU and BF16 on a GPU
   * @throws TrainerException with {@link TrainerExit#USAGE} if there is no such device, with {@link
   *     TrainerExit#OUT_OF_MEMORY} if the weights don't fit
   */
  public static CausalLm load(ModelFolder folder, String device, Precision precision) {
    LayerRange all = LayerRange.all(folder.config().layers());
    return load(folder, all, Set.of(), device, precision, Quantization.NONE);
  }

  /**
   * Loads some layers of a model and no other weights.
   *
   * @param folder its checked folder
   * @param layers which; the embedding comes with the first and the head with the last
   * @param without names of weights that aren't needed, as they train
   * @param device cpu, or cuda:N
   * @param precision type to compute with; Auto is FP32 on a CPU and BF16 on a GPU
   * @param quantization how the linear layers' weights are stored; they are dequantised whenever
   *     they are used
   * @throws TrainerException as {@link #load(ModelFolder, String, Precision)} does
   */
  public static CausalLm load(
      ModelFolder folder,
      LayerRange layers,
      Set<String> without,
      String device,
      Precision precision,
      Quantization quantization) {
    checkDevice(device);
    TorchScript script =
        TorchScript.compile(
            "CausalLm", ScriptSource.read(CausalLm.class, scripts(folder.architecture())));
    try {
      return load(folder, layers, without, device, precision, quantization, script);
    } catch (DeviceMemoryException e) {
      script.close();
      throw new TrainerException(
          TrainerExit.OUT_OF_MEMORY,
          "the %,d weights of %s don't fit into the memory of %s: %s"
              .formatted(folder.parameters(layers), folder.path(), device, e.getMessage()),
          e);
    } catch (RuntimeException e) {
      script.close();
      throw e;
    }
  }

  private static CausalLm load(
      ModelFolder folder,
      LayerRange layers,
      Set<String> without,
      String device,
      Precision precision,
      Quantization quantization,
      TorchScript script) {
    ScriptValue config = script.call("config", folder.architecture().numbers(folder.config()));
    ScriptValue tower = script.call("tower", folder.towerNumbers());
    try {
      int type = TorchTypes.of(precision, device);
      ScriptValue weights =
          ModelWeights.load(script, folder, layers, without, type, quantization, device);
      return new CausalLm(folder, layers, device, type, script, config, tower, weights);
    } catch (RuntimeException e) {
      config.close();
      tower.close();
      throw e;
    }
  }

  /**
   * Size of a number of the frozen weights and of the activations.
   *
   * @param precision type to compute with
   * @param device cpu, or cuda:N
   */
  public static int bytesPerNumber(Precision precision, String device) {
    return TorchTypes.of(precision, device) == TorchTypes.of(TensorType.F32)
        ? TensorType.F32.bytes()
        : TensorType.BF16.bytes();
  }

  private static String[] scripts(Architecture architecture) {
    return Stream.concat(SHARED_SCRIPTS.stream(), architecture.scripts().stream())
        .toArray(String[]::new);
  }

  private static void checkDevice(String device) {
    if (device.equals("cpu")) {
      return;
    }
    int devices = TorchRuntime.cudaDevices();
    boolean known =
        device.matches("cuda:\\d{1,3}") && Integer.parseInt(device.substring(5)) < devices;
    if (!known) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "there is no device '%s': this machine has cpu and %d CUDA devices"
              .formatted(device, devices));
    }
  }

  /** The folder that it was loaded from. */
  public ModelFolder folder() {
    return folder;
  }

  /** The layers that are loaded. */
  public LayerRange layers() {
    return layers;
  }

  /** Where it computes: cpu, or cuda:N. */
  public String device() {
    return device;
  }

  /** Its compiled script, causal_lm.py and the architecture's own. */
  public TorchScript script() {
    return script;
  }

  /** Rows that meet the head at once, so that the logits stay small. */
  public long headRows() {
    return headRows(folder, device);
  }

  /**
   * The same before a model is loaded.
   *
   * @param folder its checked folder
   * @param device cpu, or cuda:N
   */
  public static long headRows(ModelFolder folder, String device) {
    long logits = device.equals("cpu") ? CPU_LOGITS : GPU_LOGITS;
    return Math.max(1, logits / folder.config().vocabularySize());
  }

  /**
   * Checks token ids before they reach the device, where an id without an embedding is a crash.
   *
   * @param ids row by row
   * @param rows B
   * @param length T
   * @return the ids, (B, T) of I64
   * @throws TrainerException with {@link TrainerExit#MODEL}, if the model has no embedding for one
   */
  public HostTensor tokens(long[] ids, int rows, int length) {
    long vocabulary = folder.config().vocabularySize();
    for (long id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new TrainerException(
            TrainerExit.MODEL,
            "the tokenizer gave the token id %d, but the model in %s has %d embeddings; take the"
                    .formatted(id, folder.path(), vocabulary)
                + " tokenizer that belongs to the model");
      }
    }
    return HostTensor.ofLongs(ids, rows, length);
  }

  /**
   * The tiles of pictures as the script takes them.
   *
   * @param pictures in the order of the tokens that stand for them
   * @param ids of the batch
   * @throws TrainerException with {@link TrainerExit#MODEL}, if the ids don't have as many tokens
   *     for pieces of pictures as the tiles have pieces
   */
  public PictureTiles tiles(List<Picture> pictures, long[] ids) {
    Optional<VisionConfig> vision = folder.vision();
    if (vision.isEmpty()) {
      return PictureTiles.NONE;
    }
    PictureTiles tiles = PictureTiles.of(pictures);
    long wanted = tiles.count() * vision.get().tokensPerTile();
    int token = folder.pictureToken();
    long found = Arrays.stream(ids).filter(id -> id == token).count();
    if (found != wanted) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the rows have %d tokens %s for pieces of pictures, and their %d tiles have %d pieces; write <image> where a picture stands, and not %s itself"
              .formatted(found, PictureInput.TOKEN, tiles.count(), wanted, PictureInput.TOKEN));
    }
    return tiles;
  }

  /**
   * The model with what a method puts on it, as the script's calls take it.
   *
   * @param tensors the script's dictionary of them, by the names that causal_lm.py knows
   * @param tuning what the method says beside
   */
  public ScriptValue tuned(ScriptValue tensors, Tuning tuning) {
    return script.call(
        "model",
        config,
        tower,
        weights,
        tensors,
        tuning.scales(),
        tuning.activation(),
        tuning.prefix(),
        torchType,
        device);
  }

  /**
   * Puts weights of these layers into a dictionary of the script, float32 on the CPU; where that is
   * their type in the file, they are views of its pages.
   *
   * @param names of weights; others than these layers' are passed over
   */
  public void putWeights(ScriptValue dictionary, Set<String> names) {
    Map<String, WeightLocation> read = folder.weights(layers);
    read.keySet().retainAll(names);
    ModelWeights.putInto(dictionary, script, read, TorchTypes.of(TensorType.F32), "cpu");
  }

  /**
   * Replaces the weight W of the folder by W - scale B A.
   *
   * @param layer path of a linear layer of these layers
   * @param a (r, in) of F32
   * @param b (out, r) of F32
   */
  public void leaveResidual(String layer, HostTensor a, HostTensor b, double scale) {
    String name = layer + ".weight";
    WeightLocation original = folder.weights(layers).get(name);
    if (original == null) {
      // A tied head: the embedding keeps the matrix.
      script.run("tie_weight", weights, name, Network.EMBEDDING + ".weight");
    } else {
      ModelWeights.putInto(weights, script, Map.of(name, original), torchType, device);
    }
    script.run("leave_residual", weights, layer, a, b, scale);
  }

  /** The model as it is, as the script's calls take it. */
  public ScriptValue untuned() {
    try (ScriptValue none = script.call("no_weights")) {
      return tuned(none, Tuning.NONE);
    }
  }

  /** Logits of every position of a batch of text; as {@link #logits} with no pictures. */
  public HostTensor logits(ScriptValue model, HostTensor ids) {
    return logits(model, ids, PictureTiles.NONE);
  }

  /**
   * Logits of every position of a batch.
   *
   * @param model tuned or untuned
   * @param ids (B, T) of I64
   * @param pictures those whose tokens the ids have
   * @return (B, T, V) of F32
   */
  public HostTensor logits(ScriptValue model, HostTensor ids, PictureTiles pictures) {
    return script.callTensor("logits", ids, pictures.pixels(), pictures.count(), model);
  }

  /**
   * The embeddings that pictures become.
   *
   * @param model tuned or untuned
   * @return (pieces, C) of F32
   */
  public HostTensor pieces(ScriptValue model, PictureTiles pictures) {
    return script.callTensor("pieces", pictures.pixels(), pictures.count(), model);
  }

  @Override
  public void close() {
    weights.close();
    tower.close();
    config.close();
    script.close();
  }
}
