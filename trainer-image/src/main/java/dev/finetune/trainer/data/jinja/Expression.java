package dev.finetune.trainer.data.jinja;

import java.util.List;

/** An expression of a template, as the parser reads it. */
sealed interface Expression {
  /** Where it stands, from 1. */
  int line();

  record Literal(Object value, int line) implements Expression {}

  record Name(String name, int line) implements Expression {}

  record ListOf(List<Expression> items, int line) implements Expression {}

  record TupleOf(List<Expression> items, int line) implements Expression {}

  record DictOf(List<Expression> keys, List<Expression> values, int line) implements Expression {}

  /** {@code target.name}. */
  record Attribute(Expression target, String name, int line) implements Expression {}

  /** {@code target[index]}. */
  record Item(Expression target, Expression index, int line) implements Expression {}

  /** {@code target[start:stop:step]}; a part that isn't written is null. */
  record Slice(Expression target, Expression start, Expression stop, Expression step, int line)
      implements Expression {}

  record Call(Expression callee, CallArguments arguments, int line) implements Expression {}

  /** {@code target | name(arguments)}; the target is null in a filter block. */
  record Filter(Expression target, String name, CallArguments arguments, int line)
      implements Expression {}

  /** {@code target is name(arguments)}. */
  record Test(Expression target, String name, CallArguments arguments, int line)
      implements Expression {}

  record Not(Expression operand, int line) implements Expression {}

  /** {@code -operand} or {@code +operand}. */
  record Sign(String operator, Expression operand, int line) implements Expression {}

  record Binary(String operator, Expression left, Expression right, int line)
      implements Expression {}

  /** {@code and} and {@code or}, which give one of their operands. */
  record Logical(String operator, Expression left, Expression right, int line)
      implements Expression {}

  /** {@code a < b <= c}: each operand is compared with the next, and all must hold. */
  record Comparison(Expression first, List<String> operators, List<Expression> rest, int line)
      implements Expression {}

  /** {@code parts[0] ~ parts[1] ~ ...}. */
  record Concatenation(List<Expression> parts, int line) implements Expression {}

  /** {@code then if condition else otherwise}; without else, otherwise is null. */
  record Conditional(Expression condition, Expression then, Expression otherwise, int line)
      implements Expression {}

  /** Arguments of a call, filter or test, not yet evaluated. */
  record CallArguments(List<Expression> positional, List<Keyword> keywords) {
    static final CallArguments NONE = new CallArguments(List.of(), List.of());
  }

  /** {@code name=value} in a call. */
  record Keyword(String name, Expression value) {}
}
