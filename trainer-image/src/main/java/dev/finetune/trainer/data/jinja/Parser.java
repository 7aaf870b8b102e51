package dev.finetune.trainer.data.jinja;

import dev.finetune.trainer.data.jinja.Statement.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses a template into statements. */
final class Parser {
  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private int loopDepth;

  private Parser(List<Token> tokens) {
    this.tokens = new TokenStream(tokens);
    this.expressions = new ExpressionParser(this.tokens);
  }

  static List<Statement> parse(String source) {
    Parser parser = new Parser(Lexer.tokens(source));
    return parser.body(Set.of(), null);
  }

  /**
   * Statements up to one of the ends, whose tag is left open behind its name's token.
   *
   * @param ends names of the tags that end the body
   * @param opening the tag whose body it is, for the message where no end comes
   */
  private List<Statement> body(Set<String> ends, Token opening) {
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.type()) {
        case TEXT -> statements.add(new Statement.Text(token.text()));
        case VARIABLE_BEGIN -> {
          statements.add(new Statement.Output(expressions.tuple()));
          tokens.expect(Token.Type.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          if (tokens.at(Token.Type.NAME) && ends.contains(tokens.current().text())) {
            return statements;
          }
          statements.add(statement());
        }
        default -> {
          if (opening != null) {
            throw new JinjaException(
                "'{% " + opening.text() + " %}' is never closed", opening.line());
          }
          return statements;
        }
      }
    }
  }

  private List<Statement> bodyTo(String end, Token opening) {
    List<Statement> body = body(Set.of(end), opening);
    tokens.next();
    blockEnd();
    return body;
  }

  /** A body in which break and continue of an outer loop don't reach out, as in a macro. */
  private List<Statement> isolatedBody(String end, Token opening) {
    int outer = loopDepth;
    loopDepth = 0;
    List<Statement> body = bodyTo(end, opening);
    loopDepth = outer;
    return body;
  }

  private Statement statement() {
    Token tag = tokens.expect(Token.Type.NAME, "a statement's name");
    return switch (tag.text()) {
      case "if" -> conditional(tag);
      case "for" -> loop(tag);
      case "set" -> assignment(tag);
      case "macro" -> macro(tag);
      case "call" -> callBlock(tag);
      case "filter" -> filterBlock(tag);
      case "with" -> with(tag);
      case "generation" -> {
        blockEnd();
        yield new Statement.Scoped(List.of(), isolatedBody("endgeneration", tag));
      }
      case "break" -> inLoop(tag, new Statement.Break());
      case "continue" -> inLoop(tag, new Statement.Continue());
      case "endif", "endfor", "else", "elif", "endset", "endmacro", "endcall", "endgeneration" ->
          throw new JinjaException(
              "'{% " + tag.text() + " %}' without the tag that it belongs to", tag.line());
      default ->
          throw new JinjaException(
              "the statement '" + tag.text() + "' is not supported", tag.line());
    };
  }

  private Statement inLoop(Token tag, Statement statement) {
    if (loopDepth == 0) {
      throw new JinjaException("'" + tag.text() + "' outside a loop", tag.line());
    }
    blockEnd();
    return statement;
  }

  private void blockEnd() {
    tokens.expect(Token.Type.BLOCK_END, "'%}'");
  }

  private Statement conditional(Token tag) {
    List<Statement.Branch> branches = new ArrayList<>();
    Expression condition = expressions.tuple();
    while (true) {
      blockEnd();
      Set<String> ends = condition == null ? Set.of("endif") : Set.of("elif", "else", "endif");
      branches.add(new Statement.Branch(condition, body(ends, tag)));
      switch (tokens.next().text()) {
        case "elif" -> condition = expressions.tuple();
        case "else" -> condition = null;
        default -> {
          blockEnd();
          return new Statement.If(branches);
        }
      }
    }
  }

  private Statement loop(Token tag) {
    Target target = targets();
    if (!tokens.skipName("in")) {
      throw tokens.unexpected("'in'");
    }
    Expression iterable = expressions.iterable();
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.atName("recursive")) {
      throw new JinjaException("a recursive loop is not supported", tokens.line());
    }
    blockEnd();
    loopDepth++;
    List<Statement> body = body(Set.of("else", "endfor"), tag);
    loopDepth--;
    List<Statement> otherwise = List.of();
    if (tokens.next().text().equals("else")) {
      blockEnd();
      otherwise = body(Set.of("endfor"), tag);
      tokens.next();
    }
    blockEnd();
    return new Statement.For(target, iterable, filter, body, otherwise, tag.line());
  }

  private Target targets() {
    List<Target> targets = new ArrayList<>(List.of(target()));
    boolean tuple = false;
    while (tokens.skipOperator(",")) {
      tuple = true;
      if (!tokens.at(Token.Type.NAME) && !tokens.atOperator("(")) {
        break;
      }
      targets.add(target());
    }
    return tuple ? new Statement.TupleTarget(targets) : targets.get(0);
  }

  private Target target() {
    if (tokens.skipOperator("(")) {
      Target inner = targets();
      tokens.expectOperator(")");
      return inner;
    }
    String name = tokens.expect(Token.Type.NAME, "a name to bind").text();
    if (!tokens.skipOperator(".")) {
      return new Statement.NameTarget(name);
    }
    return new Statement.NamespaceTarget(
        name, tokens.expect(Token.Type.NAME, "an attribute's name").text());
  }

  private Statement assignment(Token tag) {
    Target target = targets();
    if (tokens.skipOperator("=")) {
      Expression value = expressions.tuple();
      blockEnd();
      return new Statement.Assign(target, value, tag.line());
    }
    List<Expression.Filter> filters = filterChain();
    blockEnd();
    return new Statement.AssignBlock(target, filters, bodyTo("endset", tag), tag.line());
  }

  private List<Expression.Filter> filterChain() {
    List<Expression.Filter> filters = new ArrayList<>();
    while (tokens.skipOperator("|")) {
      filters.add(expressions.filter(null));
    }
    return filters;
  }

  private Statement.Macro macro(Token tag) {
    String name = tokens.expect(Token.Type.NAME, "the macro's name").text();
    List<Statement.Parameter> parameters = parameters();
    blockEnd();
    return new Statement.Macro(name, parameters, isolatedBody("endmacro", tag), tag.line());
  }

  private List<Statement.Parameter> parameters() {
    List<Statement.Parameter> parameters = new ArrayList<>();
    tokens.expectOperator("(");
    while (!tokens.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      String name = tokens.expect(Token.Type.NAME, "a parameter's name").text();
      Expression defaultValue = tokens.skipOperator("=") ? expressions.expression() : null;
      parameters.add(new Statement.Parameter(name, defaultValue));
    }
    return parameters;
  }

  private Statement callBlock(Token tag) {
    List<Statement.Parameter> parameters = tokens.atOperator("(") ? parameters() : List.of();
    Expression callee = expressions.expression();
    if (!(callee instanceof Expression.Call call)) {
      throw new JinjaException("expected a call in '{% call %}'", tag.line());
    }
    blockEnd();
    List<Statement> body = isolatedBody("endcall", tag);
    return new Statement.CallBlock(
        call, new Statement.Macro("caller", parameters, body, tag.line()));
  }

  private Statement filterBlock(Token tag) {
    List<Expression.Filter> filters = new ArrayList<>(List.of(expressions.filter(null)));
    filters.addAll(filterChain());
    blockEnd();
    return new Statement.FilterBlock(filters, isolatedBody("endfilter", tag));
  }

  private Statement with(Token tag) {
    List<Statement.Assign> assignments = new ArrayList<>();
    while (!tokens.at(Token.Type.BLOCK_END)) {
      if (!assignments.isEmpty()) {
        tokens.expectOperator(",");
      }
      Target target = target();
      tokens.expectOperator("=");
      assignments.add(new Statement.Assign(target, expressions.expression(), tag.line()));
    }
    blockEnd();
    return new Statement.Scoped(assignments, bodyTo("endwith", tag));
  }
}
