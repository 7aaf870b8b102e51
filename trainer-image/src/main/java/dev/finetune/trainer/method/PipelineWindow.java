package dev.finetune.trainer.method;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.engine.ScriptValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/**
 * The micro-batches of an accumulation window on their way through the stages. Each stage has a
 * thread that runs forward passes until as many are open as there are stages from it to the last,
 * and from then on a backward and a forward pass in turn (one forward, one backward;
 * arXiv:1806.03377): a device waits only while the pipeline fills and empties, and what the first
 * device keeps is bounded. A stage takes the micro-batches in their order, forward and backward, so
 * its sums don't depend on timing.
 */
final class PipelineWindow implements AutoCloseable {
  private final List<Stage> stages;
  private final List<Batch> batches;
  private final long windowTokens;
  private final IntFunction<long[]> seeds;
  private final BooleanSupplier stop;

  /** Hidden states, to stage i from the one before it; none to the first. */
  private final List<Channel> forward = new ArrayList<>();

  /** Their gradients, to stage i from the one behind it; the last one's comes from the loss. */
  private final List<Channel> backward = new ArrayList<>();

  private final double[] losses;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private int entered;

  /**
   * @param stages in the order of the layers
   * @param batches the window's micro-batches
   * @param windowTokens supervised tokens of all of them
   * @param seeds of the dropout of a micro-batch, one for each layer
   * @param stop asked before a micro-batch enters; those that entered are finished
   */
  PipelineWindow(
      List<Stage> stages,
      List<Batch> batches,
      long windowTokens,
      IntFunction<long[]> seeds,
      BooleanSupplier stop) {
    this.stages = stages;
    this.batches = batches;
    this.windowTokens = windowTokens;
    this.seeds = seeds;
    this.stop = stop;
    this.losses = new double[batches.size()];
    for (int i = 0; i < stages.size(); i++) {
      forward.add(new Channel(stages.size()));
      backward.add(new Channel(stages.size()));
    }
  }

  /** Takes all micro-batches through one stage; on that stage's thread. */
  void run(int stage) {
    try {
      pass(stage);
    } catch (Throwable thrown) {
      if (!(thrown instanceof Channel.Broken)) {
        failure.compareAndSet(null, thrown);
      }
      close();
    }
  }

  private void pass(int number) {
    Stage stage = stages.get(number);
    int most = stages.size() - number;
    Queue<Stage.Passed> open = new ArrayDeque<>();
    try {
      boolean more = true;
      int next = 0;
      while (more || !open.isEmpty()) {
        if (more && open.size() < most) {
          more = forward(number, next, open);
          next++;
        } else {
          backward(number, stage, open);
        }
      }
    } finally {
      open.forEach(Stage.Passed::close);
    }
  }

  /** Takes the next micro-batch forward, if there is one. */
  private boolean forward(int number, int micro, Queue<Stage.Passed> open) {
    Stage stage = stages.get(number);
    Optional<ScriptValue> input = number == 0 ? enter(micro) : forward.get(number).receive();
    if (input.isEmpty()) {
      if (number + 1 < stages.size()) {
        forward.get(number + 1).end();
      }
      return false;
    }
    Stage.Passed passed;
    try (ScriptValue hidden = input.get()) {
      passed = stage.forward(batches.get(micro), hidden, seeds.apply(micro));
    }
    if (stage.trains()) {
      open.add(passed);
    }
    try {
      if (number + 1 < stages.size()) {
        forward.get(number + 1).send(stage.output(passed));
      } else {
        loss(number, micro, passed);
      }
    } finally {
      if (!stage.trains()) {
        passed.close();
      }
    }
    return true;
  }

  private Optional<ScriptValue> enter(int micro) {
    if (micro == batches.size() || stop.getAsBoolean()) {
      return Optional.empty();
    }
    entered = micro + 1;
    return Optional.of(stages.get(0).embed(batches.get(micro)));
  }

  private void loss(int number, int micro, Stage.Passed passed) {
    Stage stage = stages.get(number);
    try (ScriptValue loss = stage.loss(passed, windowTokens)) {
      losses[micro] = stage.value(loss);
      backward.get(number).send(stage.gradient(loss));
    }
  }

  /** Takes the oldest open micro-batch backward. */
  private void backward(int number, Stage stage, Queue<Stage.Passed> open) {
    ScriptValue gradient =
        backward
            .get(number)
            .receive()
            .orElseThrow(() -> new IllegalStateException("a gradient is missing"));
    try (Stage.Passed passed = open.remove();
        ScriptValue output = gradient) {
      ScriptValue input = stage.backward(passed, output);
      if (stage.handsGradientOn()) {
        backward.get(number - 1).send(input);
      } else {
        input.close();
      }
    }
  }

  /**
   * The sums of the negative log-likelihoods of the micro-batches that entered, once every stage
   * has run; throws what the first that failed threw.
   */
  double[] losses() {
    Throwable thrown = failure.get();
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    return Arrays.copyOf(losses, entered);
  }

  /** Ends the stages that still wait for another, and frees what is on its way. */
  @Override
  public void close() {
    forward.forEach(Channel::close);
    backward.forEach(Channel::close);
  }
}
