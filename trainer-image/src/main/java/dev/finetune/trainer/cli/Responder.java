package dev.finetune.trainer.cli;

import dev.finetune.trainer.data.ChatTemplate;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import java.io.PrintStream;
import java.util.List;

/**
 * Says what a model answers to a conversation.
 *
 * @param chat how a conversation is written
 * @param tokenizer the model's
 * @param generator base or tuned model
 * @param options how tokens are chosen
 * @param stop asked after every token
 */
record Responder(
    ChatTemplate chat,
    Tokenizer tokenizer,
    TextGenerator generator,
    SamplingOptions options,
    GracefulStop stop) {

  /**
   * The answer, printed token by token as it comes.
   *
   * @throws dev.finetune.trainer.TrainerException TRY_AGAIN if the program was asked to stop
   */
  String stream(List<Message> conversation, PrintStream out) {
    StreamedText text = new StreamedText(ids -> tokenizer.decode(ids, true), out);
    List<Integer> ids =
        generator.generate(
            ids(conversation),
            options,
            token -> {
              stop.check();
              text.add(token);
            });
    text.end();
    return decoded(ids);
  }

  /** The answer. */
  String answer(List<Message> conversation) {
    return decoded(generator.generate(ids(conversation), options, token -> stop.check()));
  }

  /** A conversation's token ids, up to where the answer begins. */
  int[] ids(List<Message> conversation) {
    return tokenizer.encode(chat.render(conversation, true));
  }

  private String decoded(List<Integer> ids) {
    return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray(), true);
  }
}
