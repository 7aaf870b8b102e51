package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.trainer.data.Examples;
import dev.finetune.trainer.data.LengthHistogram;
import dev.finetune.trainer.data.PictureCounts;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.data.WeightedRows;
import dev.finetune.trainer.picture.Picture;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What plan and the run's identity say of pictures. */
class PicturePlanTest {
  private static final DatasetVerdict ROWS =
      new DatasetVerdict(6, 6, 0, 0, 0, 0, 0, 0, 9L, 99L, 50);

  private static RunPlan plan(PictureCounts pictures) {
    return new RunPlan(
        ROWS,
        List.of(),
        pictures,
        List.of(),
        new RunPlan.Steps(3, 3, 1),
        new RunPlan.Work(3, 99, 100),
        null,
        List.of(),
        new RunPlan.Time(1e9, 0, 1e12, false, 10));
  }

  @Test
  void picturesHaveALineAndABlockOfTheirOwn() {
    RunPlan plan = plan(new PictureCounts(12, 11, 1300, 256, 3328, 6656, 2048));

    assertThat(new PlanText(plan, 80).lines())
        .contains(
            "pictures   12 in 11 rows, 1,300 tiles of 256 tokens; a picture takes up to 3,328 of"
                + " maxLength 2,048 tokens, a row's up to 6,656 here");
    JsonNode json = new ObjectMapper().valueToTree(plan);
    assertThat(json.get("pictures").toString())
        .isEqualTo(
            "{\"pictures\":12,\"rows\":11,\"tiles\":1300,\"tokensPerTile\":256,\"most\":3328,"
                + "\"mostOfRow\":6656,\"maxLength\":2048}");
  }

  @Test
  void withoutPicturesNothingIsSaidOfThem() {
    assertThat(new PlanText(plan(null), 80).lines())
        .noneSatisfy(line -> assertThat(line).contains("picture"));
    assertThat(new ObjectMapper().<JsonNode>valueToTree(plan(null)).has("pictures")).isFalse();
  }

  private record Hashed(String sha256) implements Picture {
    @Override
    public int tiles() {
      return 1;
    }

    @Override
    public int width() {
      return 1;
    }

    @Override
    public int height() {
      return 1;
    }

    @Override
    public byte[] pixels() {
      return new byte[3];
    }

    @Override
    public void prefetch() {}
  }

  private static String fingerprint(Picture... pictures) {
    int[] ids = {1, 2, 3};
    TokenizedExample row = new TokenizedExample("a:1", ids, ids, List.of(pictures));
    return Fingerprints.of(
        new PreparedDataset(
            Examples.of(List.of(row)),
            Examples.of(List.of()),
            WeightedRows.once(1),
            ROWS,
            PictureCounts.NONE,
            new LengthHistogram(),
            List.of()));
  }

  @Test
  void anotherPictureIsAnotherRun() {
    assertThat(fingerprint(new Hashed("a"))).isEqualTo(fingerprint(new Hashed("a")));
    assertThat(fingerprint(new Hashed("a")))
        .isNotEqualTo(fingerprint(new Hashed("b")))
        .isNotEqualTo(fingerprint());
  }
}
