package dev.finetune.trainer.export;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.ChatTemplate;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.Tokenizer;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/** Prompts on which two forms of a model are compared: speech, numbers, code, another script. */
final class Probe {
  private static final List<String> TEXTS =
      List.of(
          "What is the capital of France?",
          "Explain in two sentences why the sky is blue.",
          "Continue the sequence: 1, 1, 2, 3, 5, 8, 13,",
          "Write a Python function that reverses a list.",
          "Übersetze ins Deutsche: \u4f60\u597d\uff0c\u4e16\u754c");

  private Probe() {}

  /** The prompts' token ids, in the chat template where the model has one. */
  static List<int[]> of(Path model) {
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      return TEXTS.stream().map(text -> tokenizer.encode(rendered(model, text))).toList();
    }
  }

  private static String rendered(Path model, String text) {
    try {
      return ChatTemplate.load(model, ChatTemplateName.AUTO, Clock.systemUTC())
          .render(List.of(new Message(Message.USER, text)), true);
    } catch (TrainerException e) {
      // A base model may have none, and then the text alone is a prompt.
      return text;
    }
  }
}
