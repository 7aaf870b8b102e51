package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.Supervision;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RenderedFormTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  private static Conversation conversation(String... turns) {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < turns.length; i++) {
      messages.add(new Message(i % 2 == 0 ? Message.USER : Message.ASSISTANT, turns[i]));
    }
    return new Conversation(messages);
  }

  /** The supervised pieces of a conversation as text. */
  private static List<String> supervised(String model, Conversation conversation) throws RowFault {
    return supervised(model, Supervision.ANSWERS, conversation);
  }

  private static List<String> supervised(
      String model, Supervision supervision, Conversation conversation) throws RowFault {
    Path base = GOLDEN.resolve(model).resolve("base");
    ChatTemplate template = ChatTemplate.load(base, ChatTemplateName.AUTO, Clock.systemUTC());
    try (Tokenizer tokenizer = Tokenizer.load(base)) {
      LabelledTokens tokens =
          new RenderedForm(template, tokenizer)
              .tokenize(conversation.messages(), List.of(), supervision);
      assertThat(tokenizer.decode(tokens.ids()))
          .isEqualTo(template.render(conversation.messages(), false));
      return pieces(tokenizer, tokens.labels());
    }
  }

  private static List<String> pieces(Tokenizer tokenizer, int[] labels) {
    List<String> pieces = new ArrayList<>();
    int t = 0;
    while (t < labels.length) {
      int start = t;
      while (t < labels.length && labels[t] != TokenizedExample.IGNORED) {
        t++;
      }
      if (t > start) {
        pieces.add(tokenizer.decode(java.util.Arrays.copyOfRange(labels, start, t)));
      } else {
        t++;
      }
    }
    return pieces;
  }

  @Test
  void supervisesEveryAssistantTurnWithTheTokenThatEndsIt() throws RowFault {
    Conversation chat = conversation("Hi", "Hello", "And 2+2?", "4");

    assertThat(supervised("tiny-llama", chat))
        .containsExactly("Hello<|im_end|>\n", "4<|im_end|>\n");
    assertThat(supervised("tiny-llama3", chat)).containsExactly("Hello<|eot_id|>", "4<|eot_id|>");
    assertThat(supervised("tiny-qwen2", chat))
        .containsExactly("Hello<|im_end|>\n", "4<|im_end|>\n");
  }

  @Test
  void labelsChineseEmojiAndCombiningMarksByCodePoints() throws RowFault {
    Conversation chat = conversation("🙂🙂 你好", "👩‍👩‍👧 水", "é?", "火车 🚂");

    assertThat(supervised("tiny-llama", chat))
        .containsExactly("👩‍👩‍👧 水<|im_end|>\n", "火车 🚂<|im_end|>\n");
  }

  @Test
  void leavesATokenThatJoinsPromptAndAnswerUnsupervised() throws RowFault {
    // Byte-level tokenizers join the template's newline with the answer's.
    assertThat(supervised("tiny-llama", conversation("🙂 Hi", "\n\nHello", "x", "y")))
        .last()
        .isEqualTo("y<|im_end|>\n");
    assertThat(supervised("tiny-llama", conversation("🙂 Hi", "\n\nHello")))
        .singleElement()
        .satisfies(piece -> assertThat(piece).endsWith("Hello<|im_end|>\n"));
  }

  @Test
  void supervisesIndentationInsideAnAnswer() throws RowFault {
    assertThat(
            supervised("tiny-llama3", conversation("Code?", "def f():\n    return 1\n        # x")))
        .containsExactly("def f():\n    return 1\n        # x<|eot_id|>");
  }

  @Test
  void saysThatATemplateRewritesEarlierTurns() {
    // tiny-qwen3's template writes a think block into the last assistant turn only.
    assertThatThrownBy(() -> supervised("tiny-qwen3", conversation("a", "b", "c", "d")))
        .isInstanceOf(RowFault.class)
        .hasMessageStartingWith(
            "the chat template writes turn 2 differently once more turns follow");
  }

  private static Conversation flagged(
      Boolean system, Boolean first, Boolean question, Boolean last) {
    return new Conversation(
        List.of(
            new Message(Message.SYSTEM, "Be brief.", system),
            new Message(Message.USER, "Hi"),
            new Message(Message.ASSISTANT, "Hello", first),
            new Message(Message.USER, "And 2+2?", question),
            new Message(Message.ASSISTANT, "4", last)));
  }

  @Test
  void supervisesTheLastAnswerOrEverything() throws RowFault {
    Conversation chat = flagged(null, null, null, null);

    assertThat(supervised("tiny-llama", Supervision.LAST_ANSWER, chat))
        .containsExactly("4<|im_end|>\n");
    assertThat(supervised("tiny-llama", Supervision.ALL, chat))
        .containsExactly(
            """
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            Hello<|im_end|>
            <|im_start|>user
            And 2+2?<|im_end|>
            <|im_start|>assistant
            4<|im_end|>
            """);
  }

  @Test
  void aTurnsOwnLossComesBeforeTheDataSetsSupervision() throws RowFault {
    assertThat(supervised("tiny-llama", Supervision.ANSWERS, flagged(null, false, null, null)))
        .containsExactly("4<|im_end|>\n");
    assertThat(supervised("tiny-llama", Supervision.LAST_ANSWER, flagged(null, true, null, false)))
        .containsExactly("Hello<|im_end|>\n");
    assertThat(supervised("tiny-llama", Supervision.ANSWERS, flagged(true, false, true, false)))
        .containsExactly(
            "<|im_start|>system\nBe brief.<|im_end|>\n", "<|im_start|>user\nAnd 2+2?<|im_end|>\n");
    assertThat(supervised("tiny-llama", Supervision.ALL, flagged(false, null, null, false)))
        .containsExactly(
            """
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            Hello<|im_end|>
            <|im_start|>user
            And 2+2?<|im_end|>
            <|im_start|>assistant
            """);
  }
}
