package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.FreezeOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the traces of InternVL don't have: full tuning of its tower, dropout in it, packed rows. */
class InternVlMethodsTest {
  private static final FreezeOptions NOTHING = new FreezeOptions(false, false, false);
  private static final GoldenInternVl INTERN_LM = new GoldenInternVl("tiny-internvl-internlm2");

  @ParameterizedTest
  @ValueSource(strings = {"tiny-internvl-internlm2", "tiny-internvl-vit6b"})
  void gradientsOfTheWholeTowerAreTheLossesSlopes(String name) {
    GoldenInternVl golden = new GoldenInternVl(name);
    Recipe recipe = recipe(Map.of("method.full", Map.of(), "model.freeze", NOTHING));
    Batch batch = Batch.of(golden.rows("train").subList(2, 5), golden.padId());
    try (TunedModel model = create(golden, recipe)) {
      model.accumulate(List.of(batch), 1, micro -> 0, () -> false);
      Map<String, HostTensor> gradients = model.gradients();
      assertThat(gradients.keySet())
          .containsAll(ModelFolder.open(golden.base("orig")).shapes().keySet());
      gradients.keySet().stream()
          .filter(each -> each.startsWith("vision_model.") || each.startsWith("mlp1."))
          .filter(each -> !each.contains(".layers.1."))
          .forEach(each -> assertSlope(model, gradients, each, batch));
    }
  }

  private static void assertSlope(
      TunedModel model, Map<String, HostTensor> gradients, String name, Batch batch) {
    Map<String, HostTensor> values = model.adapter();
    Map<String, HostTensor> optimizer = model.optimizer();
    int i = GradientProbe.indexOfLargest(gradients.get(name));
    float delta = 4e-3f;
    double up = GradientProbe.lossWith(model, values, optimizer, name, i, delta, batch);
    double down = GradientProbe.lossWith(model, values, optimizer, name, i, -delta, batch);
    model.restore(values, optimizer);
    double gradient = gradients.get(name).floats().get(i);
    assertThat((up - down) / (2 * delta))
        .as("slope by %s[%d]", name, i)
        .isCloseTo(gradient, within(0.02 * Math.abs(gradient) + 1e-2));
  }

  /**
   * The forward pass and the backward pass, which computes all of it again, draw the same masks.
   */
  @Test
  void gradientsUnderDropoutAreTheSlopesOfTheLossWithTheSameMasks() {
    Recipe recipe = lora(0.3, Map.of("model.freeze", NOTHING));
    Batch batch = INTERN_LM.trainBatch(0);
    try (TunedModel model = create(INTERN_LM, recipe)) {
      Map<String, HostTensor> values = new HashMap<>(model.adapter());
      // B starts at zero, and then A has no gradient.
      values.replaceAll((name, tensor) -> name.contains("lora_B") ? filled(tensor, 0.02f) : tensor);
      Map<String, HostTensor> optimizer = model.optimizer();
      model.restore(values, optimizer);
      model.accumulate(List.of(batch), 1, micro -> 11, () -> false);
      Map<String, HostTensor> gradients = model.gradients();
      for (String layer :
          List.of(
              "vision_model.encoder.layers.0.attn.qkv",
              "vision_model.encoder.layers.1.mlp.fc2",
              "mlp1.1")) {
        for (String kind : List.of(".lora_A.weight", ".lora_B.weight")) {
          String name = "base_model.model." + layer + kind;
          int i = GradientProbe.indexOfLargest(gradients.get(name));
          double up = lossWith(model, values, optimizer, name, i, 4e-3f, batch);
          double down = lossWith(model, values, optimizer, name, i, -4e-3f, batch);
          double gradient = gradients.get(name).floats().get(i);
          assertThat((up - down) / 8e-3)
              .as("slope by %s[%d]", name, i)
              .isCloseTo(gradient, within(0.03 * Math.abs(gradient) + 5e-3));
        }
      }
    }
  }

  private static double lossWith(
      TunedModel model,
      Map<String, HostTensor> values,
      Map<String, HostTensor> optimizer,
      String name,
      int index,
      float delta,
      Batch batch) {
    GradientProbe.move(model, values, optimizer, name, index, delta);
    return model.accumulate(List.of(batch), 1, micro -> 11, () -> false).get(0).nll();
  }

  private static HostTensor filled(HostTensor like, float size) {
    float[] values = new float[(int) like.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 3 == 0 ? -size : size;
    }
    return HostTensor.ofFloats(values, like.shape());
  }

  @Test
  void twoDevicesDrawWhatOneDraws() {
    Recipe recipe = lora(0.3, Map.of("model.freeze", NOTHING, "training.neftuneAlpha", 5.0));
    Batch batch = INTERN_LM.trainBatch(0);
    ModelFolder folder = ModelFolder.open(INTERN_LM.base("orig"));
    List<LayerRange> ranges = List.of(new LayerRange(0, 1, 2), new LayerRange(1, 2, 2));
    try (TunedModel one = create(INTERN_LM, recipe);
        LayeredModel two =
            LayeredModel.create(
                recipe, folder, ranges, List.of("cpu", "cpu"), new SingleProcess())) {
      double loss = one.accumulate(List.of(batch), 1, micro -> 5, () -> false).get(0).nll();
      assertThat(two.accumulate(List.of(batch), 1, micro -> 5, () -> false).get(0).nll())
          .isEqualTo(loss);
      Map<String, HostTensor> gradients = two.gradients();
      one.gradients()
          .forEach(
              (name, gradient) ->
                  assertThat(gradients.get(name).floats()).as(name).isEqualTo(gradient.floats()));
    }
  }

  @Test
  void rowsWithoutPicturesLeaveTheTowerAlone() {
    Recipe recipe = lora(0.0, Map.of("model.freeze", NOTHING));
    Batch text = Batch.of(INTERN_LM.rows("train").subList(5, 6), INTERN_LM.padId());
    try (TunedModel model = create(INTERN_LM, recipe)) {
      model.accumulate(List.of(text), text.supervisedTokens(), micro -> 0, () -> false);
      model
          .gradients()
          .forEach(
              (name, gradient) -> {
                if (name.contains("vision_model") || name.contains("mlp1")) {
                  assertThat(GradientProbe.floats(gradient)).as(name).containsOnly(0);
                }
              });
      // An evaluation's pictures train nothing: no complaint that the tower's matrices are still
      // zero.
      model.evaluate(INTERN_LM.evalBatch());
      model.step(1e-3);
      Batch picture = INTERN_LM.trainBatch(0);
      model.accumulate(List.of(picture), picture.supervisedTokens(), micro -> 0, () -> false);
      model.step(1e-3);
      model
          .adapter()
          .forEach((name, tensor) -> assertThat(GradientProbe.floats(tensor)).isNotEmpty());
      assertThat(GradientProbe.floats(model.adapter().get("base_model.model.mlp1.1.lora_B.weight")))
          .doesNotContain(0);
    }
  }

  @Test
  void packedRowsWithPicturesAreAsIfEachWereAlone() {
    Recipe recipe = lora(0.0, Map.of("model.freeze", NOTHING));
    List<TokenizedExample> rows = INTERN_LM.rows("train").subList(2, 6);
    try (TunedModel padded = create(INTERN_LM, recipe);
        TunedModel packed = create(INTERN_LM, recipe)) {
      double loss = accumulate(padded, Batch.of(rows, INTERN_LM.padId()));
      assertThat(accumulate(packed, Batch.packed(rows))).isCloseTo(loss, within(1e-6 * loss));
      Map<String, HostTensor> gradients = packed.gradients();
      padded
          .gradients()
          .forEach(
              (name, gradient) -> {
                float[] expected = GradientProbe.floats(gradient);
                float[] actual = GradientProbe.floats(gradients.get(name));
                for (int i = 0; i < expected.length; i++) {
                  assertThat(actual[i]).as(name).isCloseTo(expected[i], within(1e-4f));
                }
              });
    }
  }

  private static double accumulate(TunedModel model, Batch batch) {
    return model.accumulate(List.of(batch), 1, micro -> 0, () -> false).get(0).nll();
  }

  @Test
  void aRowThatWritesThePiecesTokenItselfIsRefused() {
    TokenizedExample row = INTERN_LM.rows("train").get(0);
    Batch lost = Batch.of(List.of(new TokenizedExample("a:1", row.inputIds(), row.labels())), 2);
    try (TunedModel model = create(INTERN_LM, lora(0.0, Map.of()))) {
      assertThatThrownBy(() -> model.evaluate(lost))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining(
              "the rows have 27 tokens <IMG_CONTEXT> for pieces of pictures, and their 0 tiles have 0");
    }
  }

  @Test
  void layersHaveTheFoldersNamesAndThoseOfTransformers() {
    ModelFolder folder = ModelFolder.open(INTERN_LM.base("orig"));
    assertThat(LoraTargets.resolve(List.of("tok_embeddings", "wo"), folder.modules()))
        .isEqualTo(LoraTargets.resolve(List.of("embed_tokens", "o_proj"), folder.modules()))
        .hasSize(3);
    assertThatThrownBy(() -> LoraTargets.resolve(List.of("nothing"), folder.modules()))
        .hasMessageContaining(
            "there are qkv, proj, fc1, fc2, mlp1.1, mlp1.3, tok_embeddings, wqkv, wo, w1, w3, w2, output");
  }

  @Test
  void whatIsFrozenIsNoTarget() {
    ModelFolder folder = ModelFolder.open(INTERN_LM.base("orig"));
    Recipe tower =
        recipe(
            Map.of(
                "method.lora",
                GoldenModel.lora(0.0, LoraVariant.STANDARD, "qkv"),
                "model.freeze",
                new FreezeOptions(null, null, null)));
    assertThatThrownBy(() -> TuningMethod.of(tower, folder))
        .hasMessageContaining("targetModules names nothing in this model with 'qkv'");
    Recipe all = lora(0.0, Map.of("model.freeze", new FreezeOptions(true, true, true)));
    assertThatThrownBy(() -> TuningMethod.of(all, folder))
        .hasMessageContaining("model.freeze freezes every part");
    Recipe prefix =
        recipe(
            Map.of(
                "method.prefixTuning.virtualTokens",
                4,
                "model.freeze",
                new FreezeOptions(true, null, null)));
    assertThatThrownBy(() -> TuningMethod.of(prefix, folder))
        .hasMessageContaining("method.prefixTuning trains in the language model, which");
    ModelFolder text = ModelFolder.open(new GoldenModel("tiny-llama").base());
    assertThatThrownBy(() -> TuningMethod.of(lora(0.0, Map.of("model.freeze", NOTHING)), text))
        .hasMessageContaining("model.freeze names parts of a model for pictures");
  }

  private static TunedModel create(GoldenInternVl golden, Recipe recipe) {
    return TunedModel.create(
        recipe, ModelFolder.open(golden.base("orig")), "cpu", new SingleProcess());
  }

  private static Recipe lora(double dropout, Map<String, ?> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("method.lora", GoldenModel.lora(dropout, LoraVariant.STANDARD, "all-linear"));
    return recipe(all);
  }

  private static Recipe recipe(Map<String, ?> settings) {
    return GoldenModel.recipe(settings, 0.0, 0.0, true);
  }
}
