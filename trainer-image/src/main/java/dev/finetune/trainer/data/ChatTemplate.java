package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.jinja.JinjaException;
import dev.finetune.trainer.data.jinja.Template;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes conversations as the text that a model was, or will be, trained on. Renders what
 * transformers' apply_chat_template renders; safe for many threads.
 */
public final class ChatTemplate {
  private static final String SET_TEMPLATE =
      "set model.template to ChatML, Llama3 or Zephyr, whichever the model is to speak";

  private final ChatTemplateName name;
  private final Template template;
  private final Map<String, String> specialTokens;

  private ChatTemplate(
      ChatTemplateName name, Template template, Map<String, String> specialTokens) {
    this.name = name;
    this.template = template;
    this.specialTokens = specialTokens;
  }

  /**
   * The template of a recipe.
   *
   * @param model the model folder, whose special tokens a template can use
   * @param wanted Auto for the model's own: chat_template.jinja, else chat_template of
   *     tokenizer_config.json; of a model for pictures the built-in one that it was trained with
   * @param clock the date for templates that write it
   * @throws TrainerException with {@link TrainerExit#MODEL} if the model has no template, or one
   *     that can't be parsed
   */
  public static ChatTemplate load(Path model, ChatTemplateName wanted, Clock clock) {
    TokenizerConfig config = TokenizerConfig.read(model);
    ChatTemplateName name =
        wanted == ChatTemplateName.AUTO ? PictureTemplate.of(config, clock) : wanted;
    String source = name == ChatTemplateName.AUTO ? config.chatTemplate() : builtIn(name);
    if (source == null) {
      throw new TrainerException(
          TrainerExit.MODEL, "the model at " + model + " has no chat template; " + SET_TEMPLATE);
    }
    try {
      return parse(name, source, config, clock);
    } catch (JinjaException e) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the chat template of the model at "
              + model
              + " can't be used: "
              + e.getMessage()
              + "; "
              + SET_TEMPLATE,
          e);
    }
  }

  /** A template from its source. */
  static ChatTemplate parse(
      ChatTemplateName name, String source, TokenizerConfig config, Clock clock) {
    return new ChatTemplate(name, Template.parse(source, clock), config.specialTokens());
  }

  private static String builtIn(ChatTemplateName name) {
    String file =
        switch (name) {
          case CHATML -> "templates/ChatML.jinja";
          case LLAMA3 -> "templates/Llama3.jinja";
          case ZEPHYR -> "templates/Zephyr.jinja";
          case INTERN_VL2 -> "templates/InternVL2.jinja";
          case INTERN_VL2_5 -> "templates/InternVL2_5.jinja";
          case AUTO -> throw new IllegalArgumentException("Auto is no built-in template");
        };
    try (InputStream in = ChatTemplate.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether it is one of InternVL's, in which pictures stand between img tags. */
  boolean takesPictures() {
    return name == ChatTemplateName.INTERN_VL2 || name == ChatTemplateName.INTERN_VL2_5;
  }

  /**
   * The text of a conversation.
   *
   * @param messages its turns
   * @param addGenerationPrompt whether the text goes on to where the assistant begins to speak
   * @throws JinjaException if the template refuses the conversation
   */
  public String render(List<Message> messages, boolean addGenerationPrompt) {
    Map<String, Object> variables = new HashMap<>(specialTokens);
    variables.put(
        "messages",
        messages.stream().map(m -> Map.of("role", m.role(), "content", m.content())).toList());
    variables.put("add_generation_prompt", addGenerationPrompt);
    // transformers always passes these two, as None where there are none.
    variables.put("tools", null);
    variables.put("documents", null);
    return template.render(variables);
  }
}
