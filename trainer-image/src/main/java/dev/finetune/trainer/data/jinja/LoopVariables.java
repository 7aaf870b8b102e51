package dev.finetune.trainer.data.jinja;

import java.util.List;

/** The variable {@code loop} of one pass through a loop's body. */
final class LoopVariables {
  private final List<Object> items;
  private final int index;

  LoopVariables(List<Object> items, int index) {
    this.items = items;
    this.index = index;
  }

  Object attribute(String name) {
    int size = items.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) size - index;
      case "revindex0" -> size - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> (long) size;
      case "previtem" -> index > 0 ? items.get(index - 1) : noNeighbour("previous");
      case "nextitem" -> index < size - 1 ? items.get(index + 1) : noNeighbour("next");
      case "cycle" -> (Callable) this::cycle;
      default -> throw new EvaluationException("'loop." + name + "' is not supported");
    };
  }

  private Object cycle(Arguments arguments) {
    List<Object> values = arguments.positional();
    if (values.isEmpty()) {
      throw new EvaluationException("loop.cycle needs values");
    }
    return values.get(index % values.size());
  }

  private static Undefined noNeighbour(String which) {
    return new Undefined("there is no " + which + " item");
  }
}
