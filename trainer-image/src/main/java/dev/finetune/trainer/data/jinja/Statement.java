package dev.finetune.trainer.data.jinja;

import java.util.List;

/** A statement of a template: what produces output or binds names. */
sealed interface Statement {
  record Text(String text) implements Statement {}

  record Output(Expression value) implements Statement {}

  /** Branches in order; the else branch has a null condition. */
  record If(List<Branch> branches) implements Statement {}

  record Branch(Expression condition, List<Statement> body) {}

  /** A loop; filter is null where there is none. */
  record For(
      Target target,
      Expression iterable,
      Expression filter,
      List<Statement> body,
      List<Statement> otherwise,
      int line)
      implements Statement {}

  record Assign(Target target, Expression value, int line) implements Statement {}

  /** {@code {% set name %}...{% endset %}}; the filters apply to the rendered body. */
  record AssignBlock(Target target, List<Expression.Filter> filters, List<Statement> body, int line)
      implements Statement {}

  record Macro(String name, List<Parameter> parameters, List<Statement> body, int line)
      implements Statement {}

  /** {@code {% call(parameters) callee(arguments) %}body{% endcall %}}. */
  record CallBlock(Expression.Call call, Macro caller) implements Statement {}

  /** {@code {% filter name %}body{% endfilter %}}. */
  record FilterBlock(List<Expression.Filter> filters, List<Statement> body) implements Statement {}

  /** {@code {% with a = 1 %}} and {@code {% generation %}}, which is a scope without names. */
  record Scoped(List<Assign> assignments, List<Statement> body) implements Statement {}

  record Break() implements Statement {}

  record Continue() implements Statement {}

  /** A macro's parameter; without a default the default is null. */
  record Parameter(String name, Expression defaultValue) {}

  /** What a value is bound to. */
  sealed interface Target {}

  record NameTarget(String name) implements Target {}

  record NamespaceTarget(String namespace, String attribute) implements Target {}

  record TupleTarget(List<Target> targets) implements Target {}
}
