package dev.finetune.trainer.method;

/**
 * A tensor that trains.
 *
 * @param name its name in the script, which says what it does (causal_lm.py)
 * @param fileName its name in the result and in checkpoints
 * @param part of the network, which decides where it lies: the index of its decoder layer, {@link
 *     #EMBEDDING}, or the number of layers for the final norm and the head
 * @param rows its first dimension
 * @param columns its second dimension; 0 for a vector
 * @param start what it starts from
 * @param group how the optimizer treats it
 */
record TrainedTensor(
    String name,
    String fileName,
    int part,
    long rows,
    long columns,
    Start start,
    ParameterGroup group) {
  /** The part before the first layer. */
  static final int EMBEDDING = -1;

  long elements() {
    return rows * Math.max(1, columns);
  }

  long[] shape() {
    return columns == 0 ? new long[] {rows} : new long[] {rows, columns};
  }
}
