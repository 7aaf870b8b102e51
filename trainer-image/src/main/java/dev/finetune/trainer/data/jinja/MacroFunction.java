package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro with the scope that it was defined in. Calling it renders its body. */
final class MacroFunction implements Callable {
  private static final String CALLER = "caller";

  private final Statement.Macro macro;
  private final Scope definition;

  MacroFunction(Statement.Macro macro, Scope definition) {
    this.macro = macro;
    this.definition = definition;
  }

  @Override
  public Object call(Arguments arguments) {
    Scope scope = new Scope(definition);
    Map<String, Object> keywords = new LinkedHashMap<>(arguments.keywords());
    boolean takesCaller = macro.parameters().stream().anyMatch(p -> p.name().equals(CALLER));
    if (!takesCaller && keywords.containsKey(CALLER)) {
      scope.bind(CALLER, keywords.remove(CALLER));
    }
    List<String> names = new ArrayList<>();
    macro.parameters().forEach(parameter -> names.add(parameter.name()));
    Arguments.Bound bound =
        new Arguments(arguments.positional(), keywords)
            .bind("the macro '" + macro.name() + "'", names.toArray(String[]::new));
    for (Statement.Parameter parameter : macro.parameters()) {
      scope.bind(parameter.name(), value(parameter, bound, scope));
    }
    return Renderer.render(macro.body(), scope);
  }

  private static Object value(Statement.Parameter parameter, Arguments.Bound bound, Scope scope) {
    if (bound.has(parameter.name())) {
      return bound.required(parameter.name());
    }
    return parameter.defaultValue() == null
        ? new Undefined("parameter '" + parameter.name() + "' was not given")
        : Evaluator.value(parameter.defaultValue(), scope);
  }
}
