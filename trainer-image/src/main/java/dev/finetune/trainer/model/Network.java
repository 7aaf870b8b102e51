package dev.finetune.trainer.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a config.json describes.
 *
 * @param text the language model
 * @param config the language model's configuration
 * @param tower what looks at pictures; empty where the model takes text alone
 * @param layout the names in the folder's files
 */
record Network(Architecture text, ModelConfig config, Optional<VisionTower> tower, Layout layout) {
  /** Names in the scripts. */
  static final String EMBEDDING = "model.embed_tokens";

  static final String HEAD = "lm_head";

  /**
   * That of a folder.
   *
   * @throws dev.finetune.trainer.TrainerException with MODEL, naming what isn't supported
   */
  static Network of(ModelConfig root) {
    Network network;
    if (InternVl.is(root)) {
      network = InternVl.network(root);
    } else {
      Architecture text = Architectures.of(root, root.architecture());
      network = new Network(text, root, Optional.empty(), text.layout());
    }
    network.text.check(network.config);
    return network;
  }

  /** Every weight with its shape, by its name in the scripts; a tied head is not one. */
  Map<String, long[]> weights() {
    Map<String, long[]> weights = new LinkedHashMap<>(text.weights(config));
    tower.ifPresent(each -> weights.putAll(each.weights()));
    return weights;
  }

  boolean tiedHead() {
    return text.tiedHead(config);
  }

  /** The linear layers of the decoder, in the order of the network. */
  List<LinearLayer> linearLayers() {
    return named(text.linearLayers(config));
  }

  /** All that an adapter can be put on, in the order of the network. */
  List<LinearLayer> modules() {
    long hidden = config.hiddenSize();
    List<LinearLayer> modules = new ArrayList<>();
    tower.ifPresent(each -> modules.addAll(each.linearLayers()));
    modules.add(new LinearLayer(EMBEDDING, -1, config.vocabularySize(), hidden));
    modules.addAll(text.linearLayers(config));
    modules.add(new LinearLayer(HEAD, config.layers(), hidden, config.vocabularySize()));
    return named(modules);
  }

  private List<LinearLayer> named(List<LinearLayer> layers) {
    return layers.stream().map(layer -> layer.withModule(layout.module(layer.name()))).toList();
  }
}
