package dev.finetune.trainer.placement;

import dev.finetune.trainer.model.LayerRange;

/**
 * What a device holds while it trains, in bytes.
 *
 * @param layers its decoder layers
 * @param weights frozen weights
 * @param adapter what trains, with its gradient and the optimizer's state
 * @param activations of all micro-batches in flight, and what computing them takes besides
 */
public record DeviceLoad(LayerRange layers, long weights, long adapter, long activations) {
  /** All of it. */
  public long sum() {
    return weights + adapter + activations;
  }
}
