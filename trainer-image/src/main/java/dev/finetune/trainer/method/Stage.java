package dev.finetune.trainer.method;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.PictureTiles;

/**
 * The layers that one device holds of a model that is laid over several, with what trains in them.
 * Hidden states (N, C) come in from the device of the layers before, and their gradients go back to
 * it. Used by one thread at a time.
 *
 * @param part the layers with what trains in them
 * @param lowest the lowest part of the whole model that trains ({@link TrainedTensor#part}): the
 *     backward pass ends there
 */
record Stage(TunedModel part, int lowest) {

  /** A micro-batch between its forward and its backward pass. */
  record Passed(Batch batch, long[] seeds, ScriptValue kept) implements AutoCloseable {
    @Override
    public void close() {
      kept.close();
    }
  }

  LayerRange layers() {
    return part.base().layers();
  }

  /** Whether a gradient has to come this far down. */
  boolean trains() {
    return layers().end() > lowest || layers().hasHead();
  }

  /** Whether the layers before these train too. */
  boolean handsGradientOn() {
    return layers().first() > lowest && !layers().hasEmbedding();
  }

  /**
   * The first layer's input with NEFTune's noise, if the recipe has it; of the first stage.
   *
   * @param seeds {@link DropoutSeeds} of the micro-batch
   */
  ScriptValue embed(Batch batch, long[] seeds) {
    part.noteTrained(batch);
    return embed(batch, part.noise(), part.dropout(), seeds);
  }

  /** The first layer's input without noise and dropout; of the first stage. */
  ScriptValue embed(Batch batch) {
    return embed(batch, 0, 0, new long[0]);
  }

  private ScriptValue embed(Batch batch, double alpha, double dropout, long[] seeds) {
    PictureTiles tiles = part.tiles(batch);
    return part.within(
        batch,
        () ->
            script()
                .call(
                    "stage_input",
                    part.base().tokens(batch.inputIds(), batch.rows(), batch.length()),
                    TunedModel.segments(batch),
                    tiles.pixels(),
                    tiles.count(),
                    part.scriptModel(),
                    alpha,
                    dropout,
                    seeds));
  }

  /**
   * Runs the layers and keeps what the backward pass needs.
   *
   * @param hidden the first of these layers' input, on any device
   * @param seeds {@link DropoutSeeds} of the micro-batch
   */
  Passed forward(Batch batch, ScriptValue hidden, long[] seeds) {
    return forward(batch, hidden, lowest, part.dropout(), seeds, part.recomputes());
  }

  /** Runs the layers without dropout and keeps nothing but the result. */
  Passed evaluate(Batch batch, ScriptValue hidden) {
    return forward(batch, hidden, layers().end(), 0.0, new long[0], true);
  }

  private Passed forward(
      Batch batch,
      ScriptValue hidden,
      int keepFrom,
      double dropout,
      long[] seeds,
      boolean recompute) {
    ScriptValue kept =
        part.within(
            batch,
            () ->
                script()
                    .call(
                        "stage_forward",
                        hidden,
                        batch.rows(),
                        TunedModel.segments(batch),
                        layers().first(),
                        layers().end(),
                        keepFrom,
                        part.scriptModel(),
                        dropout,
                        seeds,
                        recompute));
    return new Passed(batch, seeds, kept);
  }

  /** The last of these layers' output. */
  ScriptValue output(Passed passed) {
    return script().call("stage_output", passed.kept());
  }

  /** The sums; of the last stage. */
  TokenSums lossSums(Passed passed) {
    return part.within(
        passed.batch(),
        () ->
            TokenSums.of(
                script()
                    .callDoubles(
                        "stage_loss_sums",
                        passed.kept(),
                        TunedModel.labels(passed.batch()),
                        part.scriptModel(),
                        part.base().headRows())));
  }

  /**
   * The sums and the loss's gradient by these layers' output; of the last stage. Adds the gradients
   * of what trains in the head to the window's.
   */
  ScriptValue loss(Passed passed, long windowTokens) {
    return part.within(
        passed.batch(),
        () ->
            script()
                .call(
                    "stage_loss",
                    passed.kept(),
                    TunedModel.labels(passed.batch()),
                    part.scriptModel(),
                    part.trained(),
                    windowTokens,
                    part.base().headRows(),
                    lowest,
                    part.dropout(),
                    passed.seeds()));
  }

  TokenSums sums(ScriptValue loss) {
    return TokenSums.of(script().callDoubles("sums_of", loss));
  }

  ScriptValue gradient(ScriptValue loss) {
    return script().call("gradient_of", loss);
  }

  /**
   * Adds the gradients of what trains here to the window's.
   *
   * @param gradient of these layers' output, on any device
   * @return the gradient of these layers' input; of no use unless {@link #handsGradientOn}
   */
  ScriptValue backward(Passed passed, ScriptValue gradient) {
    return part.within(
        passed.batch(),
        () -> {
          ScriptValue input =
              script()
                  .call(
                      "stage_backward",
                      passed.kept(),
                      gradient,
                      layers().first(),
                      layers().end(),
                      lowest,
                      part.scriptModel(),
                      part.trained(),
                      part.dropout(),
                      passed.seeds(),
                      part.recomputes());
          if (layers().hasEmbedding() && lowest == TrainedTensor.EMBEDDING) {
            backwardToEmbedding(passed, input);
          }
          return input;
        });
  }

  private void backwardToEmbedding(Passed passed, ScriptValue gradient) {
    Batch batch = passed.batch();
    PictureTiles tiles = part.tiles(batch);
    script()
        .run(
            "stage_embedding_backward",
            part.base().tokens(batch.inputIds(), batch.rows(), batch.length()),
            gradient,
            tiles.pixels(),
            tiles.count(),
            part.scriptModel(),
            part.trained(),
            part.dropout(),
            passed.seeds());
  }

  private TorchScript script() {
    return part.script();
  }
}
