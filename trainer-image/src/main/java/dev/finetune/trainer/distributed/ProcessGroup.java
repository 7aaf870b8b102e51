package dev.finetune.trainer.distributed;

import dev.finetune.trainer.engine.ScriptValue;
import java.time.Duration;
import java.util.Optional;

/**
 * The processes that train together, one per device, and what they do in common. Every rank calls
 * the same collectives in the same order, each with tensors of the same shape and type; a call
 * returns when this rank's part is done.
 *
 * <p>Tensors are contiguous TorchScript tensors on the rank's device, or on the CPU; they are read
 * and written in place. A collective throws {@link RankLostException} when a rank is gone or
 * silent, after which the group is of no more use, and {@link IllegalArgumentException} for tensors
 * that don't fit. Collectives are called by one thread at a time, the key-value functions by any.
 */
public interface ProcessGroup extends AutoCloseable {
  /** This process's number, from 0. */
  int rank();

  /** Number of processes. */
  int size();

  /** Replaces the values by their sums over all ranks. */
  void sum(double[] values);

  /** Replaces the values by their greatest over all ranks. */
  void max(double[] values);

  /** Replaces a tensor's elements by their sums over all ranks. */
  void sum(ScriptValue tensor);

  /**
   * Replaces a tensor's elements by one rank's.
   *
   * @param tensor sent by the root, written on the others
   * @param root the rank whose elements all get
   */
  void broadcast(ScriptValue tensor, int root);

  /**
   * Sums over all ranks and leaves each rank its own part.
   *
   * @param input {@code size()} equal parts, one behind the other; afterwards it may hold anything
   * @param output gets the sums of part {@code rank()}; a tensor of its own
   */
  void reduceScatter(ScriptValue input, ScriptValue output);

  /**
   * Puts every rank's part together, the inverse of {@link #reduceScatter}.
   *
   * @param input this rank's part; not changed
   * @param output gets the parts of all ranks, one behind the other
   */
  void allGather(ScriptValue input, ScriptValue output);

  /** Returns when every rank has called it. */
  void barrier();

  /** Sets a value for all ranks, beside the collectives: small things, such as a path. */
  void put(String key, byte[] value);

  /** The value of a key if a rank has set it; doesn't wait. */
  Optional<byte[]> get(String key);

  /**
   * The value of a key, waited for.
   *
   * @throws RankLostException of kind TIMEOUT if no rank sets it in time; no rank is named
   */
  byte[] await(String key, Duration patience);

  /** Leaves the group. */
  @Override
  void close();
}
