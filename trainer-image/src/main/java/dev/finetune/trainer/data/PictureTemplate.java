package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.jinja.JinjaException;
import dev.finetune.trainer.model.FolderJson;
import dev.finetune.trainer.model.PictureInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;

/** The template that a model for pictures was trained with. */
final class PictureTemplate {
  /** OpenGVLab's names, in config.json's template, of those that end a turn with im_end. */
  private static final Map<String, ChatTemplateName> NAMES =
      Map.of(
          "Hermes-2", ChatTemplateName.INTERN_VL2,
          "internlm2-chat", ChatTemplateName.INTERN_VL2,
          "internvl2_5", ChatTemplateName.INTERN_VL2_5);

  private static final String TURN_END = "<|im_end|>";

  private PictureTemplate() {}

  /**
   * What Auto means for a model.
   *
   * @param clock the date for templates that write it
   * @return Auto for a model that takes text alone; else the one that config.json names, as
   *     OpenGVLab's folders do, or InternVL2_5 where the folder's own template writes a newline
   *     behind a turn
   * @throws TrainerException MODEL if config.json names one that isn't built in
   */
  static ChatTemplateName of(TokenizerConfig tokenizer, Clock clock) {
    Path config = tokenizer.folder().resolve("config.json");
    if (!Files.exists(config) || PictureInput.of(tokenizer.folder()).isEmpty()) {
      return ChatTemplateName.AUTO;
    }
    JsonNode template = FolderJson.read(config).path("template");
    if (!template.isTextual()) {
      return writesNewline(tokenizer, clock)
          ? ChatTemplateName.INTERN_VL2_5
          : ChatTemplateName.INTERN_VL2;
    }
    ChatTemplateName name = NAMES.get(template.textValue());
    if (name == null) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "%s names the template %s, which isn't built in; set model.template to InternVL2 or InternVL2_5 if the model ends turns with <|im_end|>"
              .formatted(config, template.textValue()));
    }
    return name;
  }

  private static boolean writesNewline(TokenizerConfig tokenizer, Clock clock) {
    List<Message> turns =
        List.of(new Message(Message.USER, "question"), new Message(Message.ASSISTANT, "answer"));
    try {
      return tokenizer.chatTemplate() != null
          && ChatTemplate.parse(ChatTemplateName.AUTO, tokenizer.chatTemplate(), tokenizer, clock)
              .render(turns, false)
              .contains(TURN_END + "\n");
    } catch (JinjaException e) {
      // It can't be read here, and isn't needed.
      return false;
    }
  }
}
