package dev.finetune.api.generate;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The enums that a record's components reach, with their values as JSON writes them. */
final class DeclaredEnums {
  private final ObjectMapper mapper = new ObjectMapper();
  private final Set<Type> seen = new HashSet<>();
  private final List<List<String>> valuesInOrder = new ArrayList<>();

  private DeclaredEnums() {}

  /** The values of each enum in the order of its declaration. */
  static List<List<String>> reachedFrom(Class<?>... records) {
    DeclaredEnums enums = new DeclaredEnums();
    Arrays.stream(records).forEach(enums::visit);
    return enums.valuesInOrder;
  }

  private void visit(Type type) {
    if (!seen.add(type)) {
      return;
    }
    if (type instanceof ParameterizedType generic) {
      Arrays.stream(generic.getActualTypeArguments()).forEach(this::visit);
    } else if (type instanceof Class<?> plain && plain.isEnum()) {
      valuesInOrder.add(
          Arrays.stream(plain.getEnumConstants())
              .map(constant -> mapper.convertValue(constant, String.class))
              .toList());
    } else if (type instanceof Class<?> plain && plain.isRecord()) {
      Arrays.stream(plain.getRecordComponents())
          .map(RecordComponent::getGenericType)
          .forEach(this::visit);
    }
  }

  /** The declaration whose values are exactly these. */
  static List<String> declaredOrder(Set<String> values, List<List<String>> declared) {
    return declared.stream()
        .filter(order -> new LinkedHashSet<>(order).equals(values))
        .findFirst()
        .orElseThrow(
            () -> new IllegalStateException("no enum of the API has the values " + values));
  }
}
