package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2024-07-26T00:00:00Z"), ZoneOffset.UTC);
  private static final List<Message> CHAT =
      List.of(new Message("system", "Be brief."), new Message("user", " Hi "));

  @TempDir Path model;

  private void config(String json) throws IOException {
    Files.writeString(model.resolve("tokenizer_config.json"), json);
  }

  private String render(ChatTemplateName name) {
    return ChatTemplate.load(model, name, CLOCK).render(CHAT, true);
  }

  @Test
  void takesTheTemplateOfTokenizerConfig() throws IOException {
    config("{\"chat_template\": \"{{ messages[1].content }}{{ tools is none }}\"}");
    assertThat(render(ChatTemplateName.AUTO)).isEqualTo(" Hi True");
  }

  @Test
  void takesTheDefaultOfSeveralTemplates() throws IOException {
    config(
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"t\"},"
            + " {\"name\": \"default\", \"template\": \"d\"}]}");
    assertThat(render(ChatTemplateName.AUTO)).isEqualTo("d");
  }

  @Test
  void prefersTheTemplatesOwnFile() throws IOException {
    config("{\"chat_template\": \"old\"}");
    Files.writeString(model.resolve("chat_template.jinja"), "new {{ strftime_now('%Y') }}");
    assertThat(render(ChatTemplateName.AUTO)).isEqualTo("new 2024");
  }

  @Test
  void readsSpecialTokensAsStringsObjectsOrFromTheirMap() throws IOException {
    config(
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": null,"
            + " \"chat_template\": \"{{ bos_token }}{{ eos_token }}[{{ pad_token }}]\"}");
    Files.writeString(model.resolve("special_tokens_map.json"), "{\"eos_token\": \"</s>\"}");
    assertThat(render(ChatTemplateName.AUTO)).isEqualTo("<s></s>[]");
  }

  @Test
  void writesTheBuiltInTemplates() throws IOException {
    config("{\"bos_token\": \"<|begin_of_text|>\", \"eos_token\": \"</s>\"}");

    assertThat(render(ChatTemplateName.CHATML))
        .isEqualTo(
            """
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
             Hi <|im_end|>
            <|im_start|>assistant
            """);
    assertThat(render(ChatTemplateName.LLAMA3))
        .isEqualTo(
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                + "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\n");
    assertThat(render(ChatTemplateName.ZEPHYR))
        .isEqualTo("<|system|>\nBe brief.</s>\n<|user|>\n Hi </s>\n<|assistant|>\n");
  }

  @Test
  void saysHowToChooseATemplateForAModelWithoutOne() throws IOException {
    config("{}");
    assertThatThrownBy(() -> render(ChatTemplateName.AUTO))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.MODEL))
        .hasMessage(
            "the model at "
                + model
                + " has no chat template; set model.template to ChatML, Llama3 or Zephyr, whichever"
                + " the model is to speak");
  }

  @Test
  void saysWhatATemplateUsesThatIsNotSupported() throws IOException {
    Files.writeString(model.resolve("chat_template.jinja"), "a\n{% include 'x' %}");
    assertThatThrownBy(() -> render(ChatTemplateName.AUTO))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("the statement 'include' is not supported (line 2 of the template)")
        .hasMessageContaining("set model.template");
  }

  @Test
  void saysThatATokenizerFileIsMissingOrBroken() throws IOException {
    assertThatThrownBy(() -> Tokenizer.load(model))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("tokenizer.json doesn't exist");
    Files.writeString(model.resolve("tokenizer.json"), "{}");
    assertThatThrownBy(() -> Tokenizer.load(model))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.MODEL))
        .hasMessageContaining("can't be read as a tokenizer");
  }

  @Test
  void stopsAtTheIdsOfTheGenerationConfigAndTheTokenizer() throws IOException {
    Path base = Path.of("src/test/resources/golden/tiny-llama/base");
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(base.resolve(file), model.resolve(file));
    }
    Files.writeString(model.resolve("config.json"), "{\"eos_token_id\": 3}");
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      assertThat(tokenizer.stopIds()).containsExactlyInAnyOrder(3, 767);
    }
    Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": [5, 765]}");
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      assertThat(tokenizer.stopIds()).containsExactlyInAnyOrder(5, 765, 767);
    }
  }
}
