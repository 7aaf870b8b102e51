package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Data parallelism within one process: a replica of the model on each device, each with a thread of
 * its own. A micro-batch is split by rows among them; their gradients are summed on the first,
 * which takes the step and hands its values back. The sum of the rows' losses is divided by the
 * tokens of the whole window on every replica, so the result is that of one device to rounding.
 */
public final class ReplicatedLora implements TrainableModel {
  private final List<LoraModel> replicas;
  private final List<ExecutorService> threads = new ArrayList<>();

  private ReplicatedLora(List<LoraModel> replicas) {
    this.replicas = replicas;
    for (int i = 0; i < replicas.size(); i++) {
      int number = i;
      threads.add(
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, "replica-" + number);
                thread.setDaemon(true);
                return thread;
              }));
    }
  }

  /**
   * Loads a model onto each of several devices.
   *
   * @param devices at least one of cpu, cuda:N; the same one twice holds two replicas
   * @throws dev.finetune.trainer.TrainerException as {@link LoraModel#create} does
   */
  public static TrainableModel create(Recipe recipe, ModelFolder folder, List<String> devices) {
    if (devices.size() == 1) {
      return LoraModel.create(recipe, folder, devices.get(0));
    }
    List<LoraModel> replicas = new ArrayList<>();
    try {
      for (String device : devices) {
        // The same seed on each: they start from the same adapter.
        replicas.add(LoraModel.create(recipe, folder, device));
      }
    } catch (RuntimeException e) {
      replicas.forEach(LoraModel::close);
      throw e;
    }
    return new ReplicatedLora(replicas);
  }

  @Override
  public double accumulate(Batch batch, long windowTokens, long dropoutSeed) {
    return sum(
        batch,
        (replica, number, rows) ->
            replica.accumulate(rows, windowTokens, DropoutSeeds.ofReplica(dropoutSeed, number)));
  }

  @Override
  public double evaluate(Batch batch) {
    return sum(batch, (replica, number, rows) -> replica.evaluate(rows));
  }

  @Override
  public double step(double learningRate) {
    LoraModel first = replicas.get(0);
    List<LoraModel> others = replicas.subList(1, replicas.size());
    others.forEach(first::takeGradientOf);
    double norm = first.step(learningRate);
    others.forEach(replica -> replica.copyValuesOf(first));
    return norm;
  }

  /** What a replica does with its share of a batch. */
  private interface Work {
    double on(LoraModel replica, int number, Batch rows);
  }

  /** Runs the work on all shares at once and sums in the order of the replicas. */
  private double sum(Batch batch, Work work) {
    int share = (batch.rows() + replicas.size() - 1) / replicas.size();
    List<Future<Double>> results = new ArrayList<>();
    for (int i = 0; i * share < batch.rows(); i++) {
      int number = i;
      Batch rows = batch.rows(i * share, Math.min(batch.rows(), (i + 1) * share));
      Callable<Double> task = () -> work.on(replicas.get(number), number, rows);
      results.add(threads.get(number).submit(task));
    }
    // Every share is waited for, also after a failure: no native call may run on behind it.
    double sum = 0;
    RuntimeException failure = null;
    for (Future<Double> result : results) {
      try {
        sum += result.get();
      } catch (ExecutionException e) {
        failure = failure == null ? unwrapped(e) : failure;
      } catch (InterruptedException e) {
        throw new IllegalStateException("nobody interrupts the training thread", e);
      }
    }
    if (failure != null) {
      throw failure;
    }
    return sum;
  }

  private static RuntimeException unwrapped(ExecutionException e) {
    if (e.getCause() instanceof Error error) {
      throw error;
    }
    return e.getCause() instanceof RuntimeException cause
        ? cause
        : new IllegalStateException(e.getCause());
  }

  @Override
  public Map<String, HostTensor> adapter() {
    return replicas.get(0).adapter();
  }

  @Override
  public Map<String, HostTensor> optimizer() {
    return replicas.get(0).optimizer();
  }

  @Override
  public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    replicas.forEach(replica -> replica.restore(adapter, optimizer));
  }

  @Override
  public String adapterConfig() {
    return replicas.get(0).adapterConfig();
  }

  @Override
  public ParameterCounts parameters() {
    return replicas.get(0).parameters();
  }

  @Override
  public void close() {
    threads.forEach(ExecutorService::shutdown);
    replicas.forEach(LoraModel::close);
  }
}
