package dev.finetune.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What no golden model has: other forms of config.json, and settings that published models use. */
class ArchitecturesTest {
  private static final int VOCABULARY = 768;

  /** Longer than the golden models' window of 16. */
  private static final long[] ROW = LongStream.range(0, 40).map(i -> 10 + i * i % 700).toArray();

  @TempDir Path folder;

  /** Which layers have a window, as transformers' configuration classes fill layer_types in. */
  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "Qwen2ForCausalLM|{'use_sliding_window':true,'sliding_window':9,'max_window_layers':5}|9|5,6,7",
        "Qwen2ForCausalLM|{'use_sliding_window':true,'max_window_layers':0,'num_hidden_layers':2}|4096|0,1",
        "Qwen2ForCausalLM|{'use_sliding_window':true,'sliding_window':9}|0|",
        "Qwen2ForCausalLM|{'use_sliding_window':false,'sliding_window':9,'max_window_layers':5}|0|",
        "Qwen2ForCausalLM|{'use_sliding_window':true,'sliding_window':null,'max_window_layers':5}|0|",
        "Qwen3ForCausalLM|{'use_sliding_window':true,'sliding_window':9,'max_window_layers':6}|9|6,7",
        "MistralForCausalLM|{'num_hidden_layers':2}|4096|0,1",
        "MistralForCausalLM|{'sliding_window':null}|0|",
        "Phi3ForCausalLM|{'sliding_window':2047,'num_hidden_layers':2}|2047|0,1",
        "Phi3ForCausalLM|{}|0|",
        "Gemma2ForCausalLM|{}|4096|0,2,4,6",
        "Gemma3ForCausalLM|{'sliding_window':512,'num_hidden_layers':13}|512|0,1,2,3,4,6,7,8,9,10,12",
        "Gemma3ForCausalLM|{'sliding_window':512,'sliding_window_pattern':2}|512|0,2,4,6",
        "SmolLM3ForCausalLM|{'use_sliding_window':true,'sliding_window':9}|9|3,7",
        "SmolLM3ForCausalLM|{'use_sliding_window':false,'sliding_window':9}|0|",
        "LlamaForCausalLM|{}|0|"
      })
  void layersWithAWindowAreTransformers(
      String architecture, String settings, long tokens, String layers) throws IOException {
    ModelConfig config =
        new ChangedModel("tiny-llama", folder)
            .architecture(architecture)
            .with("{'num_hidden_layers':8}")
            .with(settings)
            .config();

    Map<String, Double> numbers = Network.of(config).text().numbers(config);

    assertThat(numbers.getOrDefault("sliding_window", 0.0)).isEqualTo((double) tokens);
    assertThat(IntStream.range(0, 16).filter(i -> numbers.containsKey("sliding." + i)))
        .containsExactlyElementsOf(
            layers == null
                ? List.of()
                : Arrays.stream(layers.split(",")).map(Integer::valueOf).toList());
  }

  @Test
  void qwensWindowIsMistrals() throws IOException {
    ChangedModel mistral = new ChangedModel("tiny-mistral", folder);
    ChangedModel qwen = new ChangedModel("tiny-mistral", folder).architecture("Qwen2ForCausalLM");
    for (int i = 0; i < 2; i++) {
      String attention = "model.layers." + i + ".self_attn.";
      qwen.fill(attention + "q_proj.bias", 0, 64);
      qwen.fill(attention + "k_proj.bias", 0, 32);
      qwen.fill(attention + "v_proj.bias", 0, 32);
    }
    qwen.config(json -> json.put("use_sliding_window", true).put("max_window_layers", 0));
    assertThat(qwen.logits(ROW)).isEqualTo(mistral.logits(ROW));

    float[] inBoth = qwen.logits(ROW);
    float[] inOne = qwen.config(json -> json.put("max_window_layers", 1)).logits(ROW);
    float[] inNone = qwen.config(json -> json.put("max_window_layers", 2)).logits(ROW);
    // The first sixteen tokens see all before them in any case.
    int same = 16 * VOCABULARY;
    for (float[] other : List.of(inOne, inNone)) {
      assertThat(Arrays.copyOf(other, same)).isEqualTo(Arrays.copyOf(inBoth, same));
      assertThat(other).isNotEqualTo(inBoth);
    }
    assertThat(inOne).isNotEqualTo(inNone);
  }

  @Test
  void gemma2IsReadInTheFormOfTransformers5AndWithoutItsDefaults() throws IOException {
    ChangedModel model = new ChangedModel("tiny-gemma2", folder);
    model.config(
        json -> {
          json.remove(
              List.of("layer_types", "tie_word_embeddings", "rope_scaling", "hidden_activation"));
          json.putObject("rope_parameters")
              .put("rope_type", "default")
              .set("rope_theta", json.remove("rope_theta"));
          json.set("dtype", json.remove("torch_dtype"));
        });
    assertThat(ModelFolderTest.largestDifference(new GoldenModel("tiny-gemma2"), model.folder()))
        .isLessThan(1e-4);
  }

  @Test
  void gemma3IsReadInTheFormOfTransformers4() throws IOException {
    ChangedModel model = new ChangedModel("tiny-gemma3", folder);
    model.config(
        json -> {
          json.remove(List.of("layer_types", "tie_word_embeddings", "_sliding_window_pattern"));
          json.remove("rope_parameters");
          json.put("rope_theta", 1_000_000.0).put("rope_local_base_freq", 10_000.0);
          json.putNull("rope_scaling").put("sliding_window_pattern", 2);
        });
    GoldenModel golden = new GoldenModel("tiny-gemma3");
    assertThat(ModelFolderTest.largestDifference(golden, model.folder())).isLessThan(1e-4);

    // Both bases are the defaults, and each belongs to its own layers.
    model.config(json -> json.remove(List.of("rope_theta", "rope_local_base_freq")));
    assertThat(ModelFolderTest.largestDifference(golden, model.folder())).isLessThan(1e-4);
    model.config(json -> json.put("rope_theta", 10_000.0).put("rope_local_base_freq", 1_000_000.0));
    assertThat(ModelFolderTest.largestDifference(golden, model.folder())).isGreaterThan(1e-2);
  }

  @Test
  void gemma2WithoutCapsIsAnotherModel() throws IOException {
    ChangedModel model = new ChangedModel("tiny-gemma2", folder);
    float[] capped = model.logits(ROW);
    float[] scoresOnly = model.config(json -> json.putNull("final_logit_softcapping")).logits(ROW);
    float[] none = model.config(json -> json.putNull("attn_logit_softcapping")).logits(ROW);
    // A cap that no score comes near is none, though another kernel computes it.
    float[] high = model.config(json -> json.put("attn_logit_softcapping", 1e4)).logits(ROW);

    for (int i = 0; i < capped.length; i++) {
      assertThat(12 * Math.tanh(scoresOnly[i] / 12)).isCloseTo(capped[i], within(1e-5));
      assertThat(high[i]).isCloseTo(none[i], within(1e-3f));
    }
    assertThat(furthest(scoresOnly, none)).isGreaterThan(1e-2);
  }

  @Test
  void phi3IsReadInTheFormOfTransformers5WithItsWindow() throws IOException {
    ChangedModel model = new ChangedModel("tiny-phi3", folder);
    model.config(
        json -> {
          json.remove("rope_scaling");
          json.putObject("rope_parameters")
              .put("rope_type", "default")
              .put("partial_rotary_factor", 1.0)
              .set("rope_theta", json.remove("rope_theta"));
        });
    GoldenModel golden = new GoldenModel("tiny-phi3");
    assertThat(ModelFolderTest.largestDifference(golden, model.folder())).isLessThan(1e-4);

    float[] all = model.logits(ROW);
    float[] last = model.config(json -> json.put("sliding_window", 16)).logits(ROW);
    assertThat(Arrays.copyOf(last, 16 * VOCABULARY)).isEqualTo(Arrays.copyOf(all, 16 * VOCABULARY));
    assertThat(last).isNotEqualTo(all);
  }

  /** llama3's scaling is checked against transformers; here all its waves are long ones. */
  @Test
  void linearScalingSlowsAllFrequencies() throws IOException {
    String linear = "{'rope_scaling':{'type':'linear','factor':8.0}}";
    String llama3 =
        "{'rope_scaling':{'rope_type':'llama3','factor':8.0,'low_freq_factor':1.0,"
            + "'high_freq_factor':4.0,'original_max_position_embeddings':1}}";
    assertThat(llama(linear).logits(ROW)).isEqualTo(llama(llama3).logits(ROW));
    assertThat(llama(linear).logits(ROW)).isNotEqualTo(llama("{}").logits(ROW));
  }

  private ChangedModel llama(String settings) throws IOException {
    return smol("LlamaForCausalLM", settings);
  }

  private ChangedModel smol3(String settings) throws IOException {
    return smol("SmolLM3ForCausalLM", settings);
  }

  private ChangedModel smol(String architecture, String settings) throws IOException {
    return new ChangedModel("tiny-llama", folder).architecture(architecture).with(settings);
  }

  /**
   * SmolLM3 has no golden model. Its layers with a 1 in no_rope_layers are Llama's, and those with
   * a 0 don't rotate (transformers, SmolLM3Attention.use_rope), which is rotating by an angle of 0:
   * Llama's with frequencies so small that every cosine is 1 and every sine adds nothing.
   */
  @Test
  void smolLm3sLayersRotateAsLlamasOrNotAtAll() throws IOException {
    float[] rotated = llama("{}").logits(ROW);
    float[] still = llama("{'rope_scaling':{'type':'linear','factor':1e30}}").logits(ROW);
    assertThat(still).isNotEqualTo(rotated);

    assertThat(smol3("{'no_rope_layers':[1,1]}").logits(ROW)).isEqualTo(rotated);
    assertThat(smol3("{'no_rope_layers':[0,0]}").logits(ROW)).isEqualTo(still);
    assertThat(smol3("{'no_rope_layer_interval':1}").logits(ROW)).isEqualTo(still);
    assertThat(smol3("{}").logits(ROW)).isEqualTo(rotated);
    assertThat(smol3("{'no_rope_layer_interval':2}").logits(ROW))
        .isEqualTo(smol3("{'no_rope_layers':[1,0]}").logits(ROW));
    assertThat(smol3("{'no_rope_layers':null}").config(j -> j.remove("rope_theta")).logits(ROW))
        .isEqualTo(llama("{'rope_theta':2000000.0}").logits(ROW));
  }

  /** With the other layer an identity, the model is as if there were one layer only. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void itIsTheNamedLayerThatDoesntRotate(int layer) throws IOException {
    String own = layer == 0 ? "[0,1]" : "[1,0]";
    String other = layer == 0 ? "[1,0]" : "[0,1]";
    assertThat(alone(layer, smol3("{'no_rope_layers':" + own + "}")))
        .isEqualTo(alone(layer, smol3("{'no_rope_layers':[0,0]}")));
    assertThat(alone(layer, smol3("{'no_rope_layers':" + other + "}")))
        .isEqualTo(alone(layer, smol3("{'no_rope_layers':[1,1]}")));
  }

  private static float[] alone(int layer, ChangedModel model) throws IOException {
    return identity(model, 1 - layer).logits(ROW);
  }

  private static ChangedModel identity(ChangedModel model, int layer) throws IOException {
    model.fill("model.layers." + layer + ".self_attn.o_proj.weight", 0, 64, 64);
    return model.fill("model.layers." + layer + ".mlp.down_proj.weight", 0, 64, 128);
  }

  /** Without positions one causal layer sees what is before a token as a set. */
  @Test
  void aTokenWithoutPositionsSeesNoOrder() throws IOException {
    ChangedModel model = identity(smol3("{'no_rope_layers':[0,0]}"), 1);
    long[] turned = ROW.clone();
    for (int i = 0; i < ROW.length - 1; i++) {
      turned[i] = ROW[ROW.length - 2 - i];
    }
    assertThat(furthest(last(model.logits(turned)), last(model.logits(ROW)))).isLessThan(1e-4);
    ChangedModel rotating = identity(smol3("{'no_rope_layers':[1,1]}"), 1);
    assertThat(furthest(last(rotating.logits(turned)), last(rotating.logits(ROW))))
        .isGreaterThan(1e-2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1]", "[1,2]", "['yes',1]"})
  void noRopeLayersMustSayItForEachLayer(String layers) throws IOException {
    assertRefused(
        smol3("{'no_rope_layers':" + layers + "}"), "no_rope_layers must have a 0 or a 1 for each");
  }

  /**
   * A layer without weights adds its biases to every token: the embeddings may have them as well.
   */
  @Test
  void llamasBiasesAreRead() throws IOException {
    ChangedModel biased = llama("{'attention_bias':true,'mlp_bias':true,'num_hidden_layers':2}");
    assertThatThrownBy(() -> ModelFolder.open(biased.folder()))
        .hasMessageContaining("missing: model.layers.0.self_attn.o_proj.bias")
        .hasMessageContaining("missing: model.layers.0.mlp.down_proj.bias");
    ChangedModel plain = llama("{}");
    for (int i = 0; i < 2; i++) {
      for (LinearLayer linear : new Llama().linearLayers(plain.config(), i)) {
        biased.fill(linear.name() + ".bias", 0, linear.out());
      }
    }
    assertThat(biased.logits(ROW)).isEqualTo(plain.logits(ROW));

    float[] shift = new float[64];
    for (int i = 0; i < 2; i++) {
      identity(biased, i);
      identity(plain, i);
      for (String name : List.of(".self_attn.o_proj.bias", ".mlp.down_proj.bias")) {
        biased.put("model.layers." + i + name, ramp(shift));
      }
    }
    FloatBuffer embeddings = plain.weight("model.embed_tokens.weight").floats();
    float[] shifted = new float[embeddings.limit()];
    for (int i = 0; i < shifted.length; i++) {
      shifted[i] = embeddings.get(i) + shift[i % 64];
    }
    plain.put("model.embed_tokens.weight", HostTensor.ofFloats(shifted, VOCABULARY, 64));
    assertThat(furthest(biased.logits(ROW), plain.logits(ROW))).isLessThan(1e-4);
  }

  /** A bias that differs in each number; adds it to the sum of all. */
  private static HostTensor ramp(float[] sum) {
    float[] values = new float[sum.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.01f * i;
      sum[i] += values[i];
    }
    return HostTensor.ofFloats(values, values.length);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Gemma3ForConditionalGeneration|Gemma3ForCausalLM.from_pretrained(...).save_pretrained(...)",
        "MambaForCausalLM|which isn't supported; supported are LlamaForCausalLM, Qwen2ForCausalLM,"
            + " Qwen3ForCausalLM, MistralForCausalLM, SmolLM3ForCausalLM, Gemma2ForCausalLM,"
            + " Gemma3ForCausalLM, Phi3ForCausalLM, InternLM2ForCausalLM, and with pictures"
            + " InternVLChatModel and InternVLForConditionalGeneration"
      })
  void otherArchitecturesAreRefusedWithWhatToDo(String name, String message) throws IOException {
    ChangedModel model = new ChangedModel("tiny-llama", folder).architecture(name);
    assertRefused(model, message);
    assertRefused(model, "supported are LlamaForCausalLM, ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tiny-phi3|{'rope_scaling':{'type':'longrope'}}|rope_scaling is of type 'longrope', which isn't",
        "tiny-phi3|{'rope_scaling':{'type':'su'}}|rope_scaling is of type 'su'",
        "tiny-phi3|{'partial_rotary_factor':0.75}|partial_rotary_factor is 0.75",
        "tiny-llama|{'rope_scaling':{'type':'linear'}}|of type linear must have the number factor",
        "tiny-gemma3|{'use_bidirectional_attention':true}|use_bidirectional_attention is true",
        "tiny-gemma3|{'rope_parameters':{'sliding_attention':{'rope_type':'yarn'}}}|sliding_attention is of type 'yarn'",
        "tiny-gemma2|{'hidden_activation':'gelu'}|hidden_activation must be gelu_pytorch_tanh, but is gelu",
        "tiny-gemma2|{'attn_logit_softcapping':0}|attn_logit_softcapping must be a number above 0 or null",
        "tiny-gemma2|{'head_dim':null}|head_dim must be a whole number above 0"
      })
  void settingsThatWouldGiveAnotherModelAreRefused(String model, String settings, String message)
      throws IOException {
    assertRefused(new ChangedModel(model, folder).with(settings), message);
  }

  private static void assertRefused(ChangedModel model, String message) {
    assertThatThrownBy(() -> ModelFolder.open(model.folder()))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining(message);
  }

  private static float[] last(float[] logits) {
    return Arrays.copyOfRange(logits, logits.length - VOCABULARY, logits.length);
  }

  private static double furthest(float[] actual, float[] expected) {
    return IntStream.range(0, actual.length)
        .mapToDouble(i -> Math.abs(actual[i] - expected[i]))
        .max()
        .orElseThrow();
  }
}
