package dev.finetune.trainer.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.engine.ScriptValue;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class SingleProcessTest {

  @Test
  void oneProcessKeepsItsValuesAndCopiesItsPart() {
    try (ProcessGroup group = new SingleProcess();
        TensorScript script = new TensorScript();
        ScriptValue input = script.keep(1, 2);
        ScriptValue part = script.keep(0, 0);
        ScriptValue whole = script.keep(0, 0)) {
      double[] values = {3};
      group.sum(values);
      group.max(values);
      assertThat(values).containsExactly(3);
      group.sum(input);
      group.broadcast(input, 0);
      group.reduceScatter(input, part);
      group.allGather(part, whole);
      assertThat(script.read(input)).containsExactly(1, 2);
      assertThat(script.read(whole)).containsExactly(1, 2);
    }
  }

  @Test
  void aKeyIsThereOnceItIsSet() {
    try (ProcessGroup group = new SingleProcess()) {
      assertThat(group.get("key")).isEmpty();
      assertThatThrownBy(() -> group.await("key", Duration.ofDays(1)))
          .isInstanceOf(RankLostException.class);
      group.put("key", new byte[] {7});
      assertThat(group.await("key", Duration.ZERO)).containsExactly(7);
    }
  }
}
