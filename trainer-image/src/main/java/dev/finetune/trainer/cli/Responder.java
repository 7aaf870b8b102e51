package dev.finetune.trainer.cli;

import dev.finetune.trainer.data.ConversationForm;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.picture.Picture;
import java.io.PrintStream;
import java.util.List;

/**
 * Says what a model answers to a conversation.
 *
 * @param form how a conversation becomes tokens
 * @param tokenizer the model's
 * @param generator base or tuned model
 * @param options how tokens are chosen
 * @param stop asked after every token
 */
record Responder(
    ConversationForm form,
    Tokenizer tokenizer,
    TextGenerator generator,
    SamplingOptions options,
    GracefulStop stop) {

  /**
   * The answer, printed token by token as it comes.
   *
   * @param conversation with a tag where each picture stands
   * @param pictures in their order
   * @throws dev.finetune.trainer.TrainerException TRY_AGAIN if the program was asked to stop
   */
  String stream(List<Message> conversation, List<Picture> pictures, PrintStream out) {
    StreamedText text = new StreamedText(ids -> tokenizer.decode(ids, true), out);
    List<Integer> ids =
        generator.generate(
            ids(conversation, pictures),
            pictures,
            options,
            token -> {
              stop.check();
              text.add(token);
            });
    text.end();
    return decoded(ids);
  }

  /** The answer. */
  String answer(List<Message> conversation, List<Picture> pictures) {
    return decoded(
        generator.generate(ids(conversation, pictures), pictures, options, token -> stop.check()));
  }

  /** A conversation's token ids, up to where the answer begins. */
  int[] ids(List<Message> conversation, List<Picture> pictures) {
    return form.prompt(conversation, pictures);
  }

  private String decoded(List<Integer> ids) {
    return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray(), true);
  }
}
