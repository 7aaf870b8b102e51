package dev.finetune.trainer.cli;

import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.PictureTags;
import dev.finetune.trainer.picture.Picture;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A conversation with a person: each line is a turn, and the model answers knowing all turns
 * before. {@code /clear} forgets them, {@code /exit}, the end of the input and Ctrl-C end it.
 */
final class ChatSession {
  private static final String CLEAR = "/clear";
  private static final String EXIT = "/exit";
  private static final String PROMPT = "> ";

  private final Responder responder;
  private final String system;
  private final List<Picture> pictures;
  private final boolean streams;
  private final boolean terminal;
  private final PrintStream out;
  private final List<Message> turns = new ArrayList<>();

  /**
   * Begins without turns.
   *
   * @param system the system turn, or null
   * @param pictures those of the first turn
   * @param streams whether an answer is printed as it comes
   * @param terminal whether a person watches, who is shown when to speak
   */
  ChatSession(
      Responder responder,
      String system,
      List<Picture> pictures,
      boolean streams,
      boolean terminal,
      PrintStream out) {
    this.responder = responder;
    this.system = system;
    this.pictures = pictures;
    this.streams = streams;
    this.terminal = terminal;
    this.out = out;
    clear();
  }

  private void clear() {
    turns.clear();
    if (system != null) {
      turns.add(new Message(Message.SYSTEM, system));
    }
  }

  /**
   * Talks until the person ends it.
   *
   * @param lines what the person says; empty at the end
   */
  void run(Supplier<Optional<String>> lines) {
    if (terminal) {
      out.println(CLEAR + " forgets the conversation, " + EXIT + " ends it.");
    }
    boolean talking = true;
    while (talking) {
      if (terminal) {
        out.print(PROMPT);
        out.flush();
      }
      Optional<String> line = lines.get().map(String::strip);
      talking = line.isPresent() && !line.get().equals(EXIT);
      if (talking) {
        take(line.get());
      }
    }
  }

  /**
   * Takes a turn and prints the answer.
   *
   * @throws TrainerException USAGE if the conversation leaves no room for one
   */
  void say(String text) {
    boolean first = turns.stream().noneMatch(turn -> turn.role().equals(Message.USER));
    String tagged = first ? PictureTags.tagged(text, pictures.size()) : text;
    turns.add(new Message(Message.USER, tagged));
    turns.add(new Message(Message.ASSISTANT, respond()));
  }

  private void take(String line) {
    if (line.equals(CLEAR)) {
      clear();
    } else if (!line.isEmpty()) {
      try {
        say(line);
      } catch (TrainerException e) {
        if (responder.stop().signal().requested()) {
          throw e;
        }
        // A conversation that has grown too long, for one: the person can begin another.
        turns.remove(turns.size() - 1);
        out.println(e.getMessage() + "; " + CLEAR + " begins a new conversation");
      }
    }
  }

  private String respond() {
    if (streams) {
      return responder.stream(turns, pictures, out);
    }
    String answer = responder.answer(turns, pictures);
    out.println(answer);
    return answer;
  }
}
