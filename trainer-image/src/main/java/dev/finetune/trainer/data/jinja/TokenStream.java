package dev.finetune.trainer.data.jinja;

import java.util.List;

/** The tokens of a template, read one after another. */
final class TokenStream {
  private final List<Token> tokens;
  private int position;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(position);
  }

  Token ahead() {
    return tokens.get(Math.min(position + 1, tokens.size() - 1));
  }

  int line() {
    return current().line();
  }

  Token next() {
    Token token = current();
    if (token.type() != Token.Type.END) {
      position++;
    }
    return token;
  }

  boolean at(Token.Type type) {
    return current().type() == type;
  }

  boolean atOperator(String operator) {
    return current().is(Token.Type.OPERATOR, operator);
  }

  boolean atName(String name) {
    return current().is(Token.Type.NAME, name);
  }

  boolean skipOperator(String operator) {
    boolean found = atOperator(operator);
    if (found) {
      position++;
    }
    return found;
  }

  boolean skipName(String name) {
    boolean found = atName(name);
    if (found) {
      position++;
    }
    return found;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  Token expect(Token.Type type, String shown) {
    if (!at(type)) {
      throw unexpected(shown);
    }
    return next();
  }

  JinjaException unexpected(String wanted) {
    return new JinjaException("expected " + wanted + ", found " + current().shown(), line());
  }
}
