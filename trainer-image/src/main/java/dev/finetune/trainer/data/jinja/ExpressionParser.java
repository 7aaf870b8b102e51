package dev.finetune.trainer.data.jinja;

import dev.finetune.trainer.data.jinja.Expression.CallArguments;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses expressions with the precedence of Jinja2's grammar. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> NO_TEST_ARGUMENT =
      Set.of("else", "or", "and", "if", "in", "not", "recursive");

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** An expression, or several with commas between them, which make a tuple. */
  Expression tuple() {
    int line = tokens.line();
    Expression first = expression();
    return tokens.atOperator(",") ? tupleAfter(first, line) : first;
  }

  /** As {@link #tuple}, but an {@code if} behind it belongs to the loop, not to the expression. */
  Expression iterable() {
    int line = tokens.line();
    Expression first = or();
    return tokens.atOperator(",") ? tupleAfter(first, line) : first;
  }

  private Expression tupleAfter(Expression first, int line) {
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",")) {
      if (tokens.at(Token.Type.VARIABLE_END)
          || tokens.at(Token.Type.BLOCK_END)
          || tokens.atOperator(")")) {
        break;
      }
      items.add(expression());
    }
    return new Expression.TupleOf(items, line);
  }

  Expression expression() {
    int line = tokens.line();
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      value = new Expression.Conditional(condition, value, otherwise, line);
    }
    return value;
  }

  private Expression or() {
    int line = tokens.line();
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Expression.Logical("or", left, and(), line);
    }
    return left;
  }

  private Expression and() {
    int line = tokens.line();
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Expression.Logical("and", left, not(), line);
    }
    return left;
  }

  private Expression not() {
    int line = tokens.line();
    return tokens.skipName("not") ? new Expression.Not(not(), line) : comparison();
  }

  private Expression comparison() {
    int line = tokens.line();
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> rest = new ArrayList<>();
    while (true) {
      if (tokens.at(Token.Type.OPERATOR) && COMPARISONS.contains(tokens.current().text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (tokens.atName("not") && tokens.ahead().is(Token.Type.NAME, "in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        return rest.isEmpty() ? first : new Expression.Comparison(first, operators, rest, line);
      }
      rest.add(sum());
    }
  }

  private Expression sum() {
    int line = tokens.line();
    Expression left = concatenation();
    while (tokens.atOperator("+") || tokens.atOperator("-")) {
      left = new Expression.Binary(tokens.next().text(), left, concatenation(), line);
    }
    return left;
  }

  private Expression concatenation() {
    int line = tokens.line();
    List<Expression> parts = new ArrayList<>(List.of(product()));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.get(0) : new Expression.Concatenation(parts, line);
  }

  private Expression product() {
    int line = tokens.line();
    Expression left = power();
    while (tokens.atOperator("*")
        || tokens.atOperator("/")
        || tokens.atOperator("//")
        || tokens.atOperator("%")) {
      left = new Expression.Binary(tokens.next().text(), left, power(), line);
    }
    return left;
  }

  private Expression power() {
    int line = tokens.line();
    Expression left = unary(true);
    while (tokens.skipOperator("**")) {
      left = new Expression.Binary("**", left, unary(true), line);
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    int line = tokens.line();
    Expression operand;
    if (tokens.atOperator("-") || tokens.atOperator("+")) {
      operand = new Expression.Sign(tokens.next().text(), unary(false), line);
    } else {
      operand = postfix(primary());
    }
    return withFilters ? filtersAndTests(operand) : operand;
  }

  private Expression primary() {
    Token token = tokens.next();
    int line = token.line();
    return switch (token.type()) {
      case NAME -> named(token.text(), line);
      case STRING -> string(token);
      case INTEGER -> new Expression.Literal(integer(token), line);
      case FLOAT -> new Expression.Literal(Double.valueOf(token.text()), line);
      case OPERATOR -> bracket(token);
      default -> throw new JinjaException("expected an expression, found " + token.shown(), line);
    };
  }

  private static Expression named(String name, int line) {
    return switch (name) {
      case "true", "True" -> new Expression.Literal(true, line);
      case "false", "False" -> new Expression.Literal(false, line);
      case "none", "None" -> new Expression.Literal(null, line);
      default -> new Expression.Name(name, line);
    };
  }

  private static Long integer(Token token) {
    try {
      return Long.valueOf(token.text());
    } catch (NumberFormatException e) {
      throw new JinjaException(
          "the integer " + token.text() + " is beyond 64 bits, which is not supported",
          token.line());
    }
  }

  /** A string, with the literals right behind it, which Python joins. */
  private Expression string(Token first) {
    StringBuilder value = new StringBuilder(first.text());
    while (tokens.at(Token.Type.STRING)) {
      value.append(tokens.next().text());
    }
    return new Expression.Literal(value.toString(), first.line());
  }

  private Expression bracket(Token opening) {
    return switch (opening.text()) {
      case "(" -> parenthesis(opening.line());
      case "[" -> new Expression.ListOf(items("]"), opening.line());
      case "{" -> dict(opening.line());
      default ->
          throw new JinjaException(
              "expected an expression, found " + opening.shown(), opening.line());
    };
  }

  private Expression parenthesis(int line) {
    if (tokens.skipOperator(")")) {
      return new Expression.TupleOf(List.of(), line);
    }
    Expression value = tuple();
    tokens.expectOperator(")");
    return value;
  }

  private List<Expression> items(String closing) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skipOperator(closing)) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(closing)) {
          break;
        }
      }
      items.add(expression());
    }
    return items;
  }

  private Expression dict(int line) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
    }
    return new Expression.DictOf(keys, values, line);
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      int line = tokens.line();
      if (tokens.skipOperator(".")) {
        value = member(value, line);
      } else if (tokens.skipOperator("[")) {
        value = subscript(value, line);
      } else if (tokens.atOperator("(")) {
        value = new Expression.Call(value, callArguments(), line);
      } else {
        return value;
      }
    }
  }

  private Expression member(Expression target, int line) {
    // Jinja reads "list.0" as list[0].
    if (tokens.at(Token.Type.INTEGER)) {
      Expression index = new Expression.Literal(integer(tokens.next()), line);
      return new Expression.Item(target, index, line);
    }
    return new Expression.Attribute(target, tokens.expect(Token.Type.NAME, "a name").text(), line);
  }

  private Expression subscript(Expression target, int line) {
    Expression start = tokens.atOperator(":") ? null : expression();
    if (!tokens.atOperator(":")) {
      if (tokens.atOperator(",")) {
        throw new JinjaException("a subscript with a comma is not supported", line);
      }
      tokens.expectOperator("]");
      return new Expression.Item(target, start, line);
    }
    tokens.expectOperator(":");
    Expression stop = slicePart();
    Expression step = tokens.skipOperator(":") ? slicePart() : null;
    tokens.expectOperator("]");
    return new Expression.Slice(target, start, stop, step, line);
  }

  private Expression slicePart() {
    return tokens.atOperator(":") || tokens.atOperator("]") ? null : expression();
  }

  /** The arguments of a call, with their parentheses. */
  CallArguments callArguments() {
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    List<Expression.Keyword> keywords = new ArrayList<>();
    boolean first = true;
    while (!tokens.skipOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      first = false;
      argument(positional, keywords);
    }
    return new CallArguments(positional, keywords);
  }

  private void argument(List<Expression> positional, List<Expression.Keyword> keywords) {
    if (tokens.atOperator("*") || tokens.atOperator("**")) {
      throw new JinjaException(
          "unpacking arguments with '" + tokens.current().text() + "' is not supported",
          tokens.line());
    }
    if (tokens.at(Token.Type.NAME) && tokens.ahead().is(Token.Type.OPERATOR, "=")) {
      String name = tokens.next().text();
      tokens.expectOperator("=");
      keywords.add(new Expression.Keyword(name, expression()));
    } else if (!keywords.isEmpty()) {
      throw new JinjaException("a positional argument after a named one", tokens.line());
    } else {
      positional.add(expression());
    }
  }

  private Expression filtersAndTests(Expression start) {
    Expression value = start;
    while (true) {
      int line = tokens.line();
      if (tokens.skipOperator("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value, line);
      } else if (tokens.atOperator("(")) {
        value = new Expression.Call(value, callArguments(), line);
      } else {
        return value;
      }
    }
  }

  /** A filter's name and arguments, behind the bar. */
  Expression.Filter filter(Expression target) {
    Token name = tokens.expect(Token.Type.NAME, "a filter's name");
    if (!Filters.known(name.text())) {
      throw new JinjaException("the filter '" + name.text() + "' is not supported", name.line());
    }
    CallArguments arguments = tokens.atOperator("(") ? callArguments() : CallArguments.NONE;
    return new Expression.Filter(target, name.text(), arguments, name.line());
  }

  private Expression test(Expression target, int line) {
    boolean negated = tokens.skipName("not");
    Token name = tokens.expect(Token.Type.NAME, "a test's name");
    if (!Tests.known(name.text())) {
      throw new JinjaException("the test '" + name.text() + "' is not supported", name.line());
    }
    CallArguments arguments = CallArguments.NONE;
    if (tokens.atOperator("(")) {
      arguments = callArguments();
    } else if (atTestArgument()) {
      arguments = new CallArguments(List.of(postfix(primary())), List.of());
    }
    Expression test = new Expression.Test(target, name.text(), arguments, line);
    return negated ? new Expression.Not(test, line) : test;
  }

  private boolean atTestArgument() {
    return switch (tokens.current().type()) {
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> tokens.atOperator("[") || tokens.atOperator("{");
      case NAME -> {
        if (tokens.atName("is")) {
          throw new JinjaException("tests can't be chained with 'is'", tokens.line());
        }
        yield !NO_TEST_ARGUMENT.contains(tokens.current().text());
      }
      default -> false;
    };
  }
}
