package dev.finetune.trainer.data.jinja;

/** A value that a template can call: a function, a method bound to its object, or a macro. */
@FunctionalInterface
interface Callable {
  Object call(Arguments arguments);
}
