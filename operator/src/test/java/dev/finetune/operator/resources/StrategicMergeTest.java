package dev.finetune.operator.resources;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import org.junit.jupiter.api.Test;

class StrategicMergeTest {
  @Test
  void objectsAreMergedFieldByFieldAndNullRemoves() {
    assertMerged(
        "{a: {x: 1, y: 2}, b: 3}",
        "{a: {y: null, z: 4}, c: {d: null, e: 5}}",
        "{a: {x: 1, z: 4}, b: 3, c: {e: 5}}");
  }

  @Test
  void aListWithAMergeKeyKeepsItsOrderAndTakesNewItemsAtItsEnd() {
    assertMerged(
        "{containers: [{name: a, image: x, env: [{name: K, value: v}]}, {name: b}]}",
        "{containers: [{name: c}, {name: a, env: [{name: L, value: w}, {name: K, value: u}]}]}",
        "{containers: [{name: a, image: x, env: [{name: K, value: u}, {name: L, value: w}]},"
            + " {name: b}, {name: c}]}");
  }

  @Test
  void aVolumesSourceIsReplacedByRemovingTheOldOne() {
    assertMerged(
        "{volumes: [{name: tmp, emptyDir: {}}]}",
        "{volumes: [{name: tmp, emptyDir: null, ephemeral: {}}]}",
        "{volumes: [{name: tmp, ephemeral: {}}]}");
  }

  @Test
  void aListWithoutAMergeKeyIsReplaced() {
    assertMerged(
        "{tolerations: [{key: a}, {key: b}], args: [x, y]}",
        "{tolerations: [{key: c}], args: [z]}",
        "{tolerations: [{key: c}], args: [z]}");
  }

  @Test
  void aNumberCanBeAMergeKey() {
    assertMerged(
        "{ports: [{containerPort: 8080, name: p}]}",
        "{ports: [{containerPort: 9090}, {containerPort: 8080, protocol: TCP}]}",
        "{ports: [{containerPort: 8080, name: p, protocol: TCP}, {containerPort: 9090}]}");
  }

  private static void assertMerged(String base, String overlay, String expected) {
    ObjectNode before = tree(base);
    assertThat(StrategicMerge.merge(before, tree(overlay))).isEqualTo(tree(expected));
    assertThat(before).as("the base is not changed").isEqualTo(tree(base));
  }

  private static ObjectNode tree(String yaml) {
    try {
      return (ObjectNode) new YAMLMapper().readTree(yaml);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }
}
