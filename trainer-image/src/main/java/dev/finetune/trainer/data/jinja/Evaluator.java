package dev.finetune.trainer.data.jinja;

import dev.finetune.trainer.data.jinja.Expression.CallArguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Computes the values of expressions; faults carry the line of the innermost one. */
final class Evaluator {
  private Evaluator() {}

  static Object value(Expression expression, Scope scope) {
    try {
      return compute(expression, scope);
    } catch (EvaluationException | ArithmeticException e) {
      throw new JinjaException(e.getMessage(), expression.line());
    }
  }

  static boolean truth(Expression expression, Scope scope) {
    return Operators.truth(value(expression, scope));
  }

  private static Object compute(Expression expression, Scope scope) {
    if (expression instanceof Expression.Literal literal) {
      return literal.value();
    } else if (expression instanceof Expression.Name name) {
      return name(name.name(), scope);
    } else if (expression instanceof Expression.Attribute attribute) {
      return Members.attribute(value(attribute.target(), scope), attribute.name());
    } else if (expression instanceof Expression.Item item) {
      return Members.item(value(item.target(), scope), value(item.index(), scope));
    } else if (expression instanceof Expression.Slice slice) {
      return slice(slice, scope);
    } else if (expression instanceof Expression.Call call) {
      return call(call, scope);
    } else if (expression instanceof Expression.Filter filter) {
      return filter(filter, value(filter.target(), scope), scope);
    } else if (expression instanceof Expression.Test test) {
      Object tested = value(test.target(), scope);
      return Tests.apply(test.name(), tested, arguments(test.arguments(), scope));
    } else if (expression instanceof Expression.ListOf list) {
      return values(list.items(), scope);
    } else if (expression instanceof Expression.TupleOf tuple) {
      return new PythonTuple(values(tuple.items(), scope));
    } else if (expression instanceof Expression.DictOf dict) {
      return dict(dict, scope);
    }
    return operation(expression, scope);
  }

  private static Object operation(Expression expression, Scope scope) {
    if (expression instanceof Expression.Not not) {
      return !truth(not.operand(), scope);
    } else if (expression instanceof Expression.Sign sign) {
      return Operators.sign(sign.operator(), value(sign.operand(), scope));
    } else if (expression instanceof Expression.Binary binary) {
      Object left = value(binary.left(), scope);
      return Operators.arithmetic(binary.operator(), left, value(binary.right(), scope));
    } else if (expression instanceof Expression.Logical logical) {
      Object left = value(logical.left(), scope);
      boolean decided = Operators.truth(left) == logical.operator().equals("or");
      return decided ? left : value(logical.right(), scope);
    } else if (expression instanceof Expression.Comparison comparison) {
      return compare(comparison, scope);
    } else if (expression instanceof Expression.Concatenation concatenation) {
      StringBuilder text = new StringBuilder();
      values(concatenation.parts(), scope).forEach(part -> text.append(PythonText.str(part)));
      return text.toString();
    } else if (expression instanceof Expression.Conditional conditional) {
      return conditional(conditional, scope);
    }
    throw new IllegalStateException("no evaluation of " + expression.getClass().getSimpleName());
  }

  private static Object name(String name, Scope scope) {
    Object value = scope.lookup(name);
    if (value instanceof Undefined && Globals.unsupported(name)) {
      throw new EvaluationException("the function '" + name + "' is not supported");
    }
    return value;
  }

  private static Object slice(Expression.Slice slice, Scope scope) {
    return Members.slice(
        value(slice.target(), scope),
        bound(slice.start(), scope),
        bound(slice.stop(), scope),
        bound(slice.step(), scope));
  }

  private static Object bound(Expression bound, Scope scope) {
    return bound == null ? null : value(bound, scope);
  }

  static Object call(Expression.Call call, Scope scope) {
    return call(call, arguments(call.arguments(), scope), scope);
  }

  /** Calls with arguments that are already evaluated, as a call block's are. */
  static Object call(Expression.Call call, Arguments arguments, Scope scope) {
    Object callee = value(call.callee(), scope);
    if (callee instanceof Callable callable) {
      try {
        return callable.call(arguments);
      } catch (EvaluationException e) {
        throw new JinjaException(e.getMessage(), call.line());
      }
    } else if (callee instanceof Undefined undefined) {
      throw undefined.used();
    }
    throw new EvaluationException(
        "a value of type " + PythonText.typeName(callee) + " can't be called");
  }

  static Object filter(Expression.Filter filter, Object target, Scope scope) {
    try {
      return Filters.apply(filter.name(), target, arguments(filter.arguments(), scope));
    } catch (EvaluationException e) {
      throw new JinjaException(e.getMessage(), filter.line());
    }
  }

  static Arguments arguments(CallArguments arguments, Scope scope) {
    Map<String, Object> keywords = new LinkedHashMap<>();
    List<Object> positional = values(arguments.positional(), scope);
    for (Expression.Keyword keyword : arguments.keywords()) {
      keywords.put(keyword.name(), value(keyword.value(), scope));
    }
    return new Arguments(positional, keywords);
  }

  private static List<Object> values(List<Expression> expressions, Scope scope) {
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(value(expression, scope));
    }
    return values;
  }

  private static Object dict(Expression.DictOf dict, Scope scope) {
    Map<Object, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < dict.keys().size(); i++) {
      values.put(value(dict.keys().get(i), scope), value(dict.values().get(i), scope));
    }
    return values;
  }

  private static Object compare(Expression.Comparison comparison, Scope scope) {
    Object left = value(comparison.first(), scope);
    for (int i = 0; i < comparison.operators().size(); i++) {
      Object right = value(comparison.rest().get(i), scope);
      if (!holds(comparison.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private static boolean holds(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Operators.same(left, right);
      case "!=" -> !Operators.same(left, right);
      case "in" -> Operators.contains(right, left);
      case "not in" -> !Operators.contains(right, left);
      case "<" -> Operators.order(left, right) < 0;
      case "<=" -> Operators.order(left, right) <= 0;
      case ">" -> Operators.order(left, right) > 0;
      default -> Operators.order(left, right) >= 0;
    };
  }

  private static Object conditional(Expression.Conditional conditional, Scope scope) {
    if (truth(conditional.condition(), scope)) {
      return value(conditional.then(), scope);
    }
    return conditional.otherwise() == null
        ? new Undefined("the condition of an 'if' without 'else' is false")
        : value(conditional.otherwise(), scope);
  }
}
