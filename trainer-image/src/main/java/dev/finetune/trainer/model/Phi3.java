package dev.finetune.trainer.model;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Phi-3 and Phi-4 (arXiv:2404.14219): Llama's network with q, k and v as one linear layer, and the
 * MLP's gate and up as another.
 */
final class Phi3 extends Decoder {
  Phi3() {
    super("Phi3ForCausalLM", "plain.py", "phi3.py");
  }

  @Override
  double defaultEps() {
    return 1e-5;
  }

  @Override
  SlidingWindow window(ModelConfig config) {
    return SlidingWindow.inAll(config, config.wholeOrNull("sliding_window", OptionalLong.empty()));
  }

  @Override
  List<LinearLayer> linearLayers(ModelConfig config, int layer) {
    long hidden = config.hiddenSize();
    long inner = config.whole("intermediate_size");
    List<LinearLayer> linears = new ArrayList<>(fusedAttention(config, layer));
    linears.add(new LinearLayer(mlp(layer) + "gate_up_proj", layer, hidden, 2 * inner));
    linears.add(new LinearLayer(mlp(layer) + "down_proj", layer, inner, hidden));
    return linears;
  }
}
