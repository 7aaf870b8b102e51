package dev.finetune.operator.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import org.junit.jupiter.api.Test;

class NewerFieldsTest {
  @Test
  void aFineTuneJobOfANewerVersionIsRead() throws Exception {
    var mapper = new ObjectMapper();
    new NewerFields().customize(mapper);

    FineTuneJob job =
        mapper.readValue(
            """
            {"apiVersion": "finetune.dev/v1alpha1", "kind": "FineTuneJob",
             "spec": {"suspend": true, "tomorrow": {"answer": 42}},
             "status": {"phase": "Running", "attempts": [{"number": 1, "reason": "Tomorrow", "tomorrow": 1}]}}
            """,
            FineTuneJob.class);

    assertThat(job.getSpec().suspend()).isTrue();
    assertThat(job.getStatus().phase()).isEqualTo(Phase.RUNNING);
    assertThat(job.getStatus().attempts().get(0).number()).isEqualTo(1);
    assertThat(job.getStatus().attempts().get(0).reason()).isNull();
  }
}
