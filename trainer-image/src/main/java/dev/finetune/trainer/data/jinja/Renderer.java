package dev.finetune.trainer.data.jinja;

import dev.finetune.trainer.data.jinja.Statement.NameTarget;
import dev.finetune.trainer.data.jinja.Statement.NamespaceTarget;
import dev.finetune.trainer.data.jinja.Statement.Target;
import dev.finetune.trainer.data.jinja.Statement.TupleTarget;
import java.util.ArrayList;
import java.util.List;

/** Runs statements and collects their output. */
final class Renderer {
  /** What a statement does to the loop around it. */
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final StringBuilder out = new StringBuilder();

  private Renderer() {}

  static String render(List<Statement> statements, Scope scope) {
    Renderer renderer = new Renderer();
    renderer.run(statements, scope);
    return renderer.out.toString();
  }

  private Flow run(List<Statement> statements, Scope scope) {
    for (Statement statement : statements) {
      Flow flow = run(statement, scope);
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }

  private Flow run(Statement statement, Scope scope) {
    if (statement instanceof Statement.Text text) {
      out.append(text.text());
    } else if (statement instanceof Statement.Output output) {
      output(output.value(), scope);
    } else if (statement instanceof Statement.If conditional) {
      return branch(conditional, scope);
    } else if (statement instanceof Statement.For loop) {
      loop(loop, scope);
    } else if (statement instanceof Statement.Assign assign) {
      bind(assign.target(), Evaluator.value(assign.value(), scope), scope, assign.line());
    } else if (statement instanceof Statement.AssignBlock block) {
      String body = render(block.body(), new Scope(scope));
      bind(block.target(), filtered(block.filters(), body, scope), scope, block.line());
    } else if (statement instanceof Statement.Macro macro) {
      scope.bind(macro.name(), new MacroFunction(macro, scope));
    } else if (statement instanceof Statement.CallBlock block) {
      callBlock(block, scope);
    } else if (statement instanceof Statement.FilterBlock block) {
      String body = render(block.body(), new Scope(scope));
      out.append(PythonText.str(filtered(block.filters(), body, scope)));
    } else if (statement instanceof Statement.Scoped scoped) {
      return scoped(scoped, scope);
    } else if (statement instanceof Statement.Break) {
      return Flow.BREAK;
    } else if (statement instanceof Statement.Continue) {
      return Flow.CONTINUE;
    }
    return Flow.NEXT;
  }

  private void output(Expression expression, Scope scope) {
    Object value = Evaluator.value(expression, scope);
    try {
      out.append(PythonText.str(value));
    } catch (EvaluationException e) {
      throw new JinjaException(e.getMessage(), expression.line());
    }
  }

  private Flow branch(Statement.If conditional, Scope scope) {
    for (Statement.Branch branch : conditional.branches()) {
      if (branch.condition() == null || Evaluator.truth(branch.condition(), scope)) {
        return run(branch.body(), scope);
      }
    }
    return Flow.NEXT;
  }

  private void loop(Statement.For loop, Scope scope) {
    List<Object> items = loopItems(loop, scope);
    for (int i = 0; i < items.size(); i++) {
      Scope pass = new Scope(scope);
      bind(loop.target(), items.get(i), pass, loop.line());
      pass.bind("loop", new LoopVariables(items, i));
      if (run(loop.body(), pass) == Flow.BREAK) {
        break;
      }
    }
    if (items.isEmpty()) {
      run(loop.otherwise(), new Scope(scope));
    }
  }

  private List<Object> loopItems(Statement.For loop, Scope scope) {
    List<Object> items;
    try {
      items = Operators.items(Evaluator.value(loop.iterable(), scope));
    } catch (EvaluationException e) {
      throw new JinjaException(e.getMessage(), loop.line());
    }
    if (loop.filter() == null) {
      return items;
    }
    List<Object> kept = new ArrayList<>();
    for (Object item : items) {
      Scope pass = new Scope(scope);
      bind(loop.target(), item, pass, loop.line());
      if (Evaluator.truth(loop.filter(), pass)) {
        kept.add(item);
      }
    }
    return kept;
  }

  private static void bind(Target target, Object value, Scope scope, int line) {
    if (target instanceof NameTarget name) {
      scope.bind(name.name(), value);
    } else if (target instanceof NamespaceTarget member) {
      if (!(scope.lookup(member.namespace()) instanceof Namespace namespace)) {
        throw new JinjaException(
            "'" + member.namespace() + "' is no namespace(), so its attributes can't be set", line);
      }
      namespace.attributes().put(member.attribute(), value);
    } else if (target instanceof TupleTarget tuple) {
      unpack(tuple.targets(), value, scope, line);
    }
  }

  private static void unpack(List<Target> targets, Object value, Scope scope, int line) {
    List<Object> items;
    try {
      items = Operators.items(value);
    } catch (EvaluationException e) {
      throw new JinjaException(e.getMessage(), line);
    }
    if (items.size() != targets.size()) {
      throw new JinjaException(
          items.size() + " values can't be unpacked into " + targets.size() + " names", line);
    }
    for (int i = 0; i < items.size(); i++) {
      bind(targets.get(i), items.get(i), scope, line);
    }
  }

  private static Object filtered(List<Expression.Filter> filters, Object body, Scope scope) {
    Object value = body;
    for (Expression.Filter filter : filters) {
      value = Evaluator.filter(filter, value, scope);
    }
    return value;
  }

  private void callBlock(Statement.CallBlock block, Scope scope) {
    Arguments arguments = Evaluator.arguments(block.call().arguments(), scope);
    MacroFunction caller = new MacroFunction(block.caller(), scope);
    Object result = Evaluator.call(block.call(), arguments.with("caller", caller), scope);
    out.append(PythonText.str(result));
  }

  private Flow scoped(Statement.Scoped scoped, Scope scope) {
    Scope inner = new Scope(scope);
    for (Statement.Assign assign : scoped.assignments()) {
      Object value = Evaluator.value(assign.value(), scope);
      bind(assign.target(), value, inner, assign.line());
    }
    return run(scoped.body(), inner);
  }
}
