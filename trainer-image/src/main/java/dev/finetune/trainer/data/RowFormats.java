package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.DatasetFormat;
import java.util.List;
import java.util.stream.Collectors;

/** The formats by name, and by the columns that a row has. */
final class RowFormats {
  /**
   * A format and the columns by which it is known.
   *
   * @param name the recipe's name of it
   * @param columns all of them must be there
   */
  private record Signature(DatasetFormat format, String name, List<String> columns) {
    boolean fits(ObjectNode row) {
      return columns.stream().allMatch(row::has);
    }

    @Override
    public String toString() {
      return name + " (" + String.join(", ", columns) + ")";
    }
  }

  private static final List<Signature> SIGNATURES =
      List.of(
          new Signature(DatasetFormat.MESSAGES, "Messages", List.of("messages")),
          new Signature(DatasetFormat.SHARE_GPT, "ShareGPT", List.of("conversations")),
          new Signature(DatasetFormat.SHARE_GPT, "ShareGPT", List.of("conversation")),
          new Signature(DatasetFormat.ALPACA, "Alpaca", List.of("instruction", "output")),
          new Signature(
              DatasetFormat.QUERY_RESPONSE, "QueryResponse", List.of("query", "response")),
          new Signature(
              DatasetFormat.PROMPT_COMPLETION,
              "PromptCompletion",
              List.of("prompt", "completion")));

  /** Only where no other fits: Alpaca's own files have a text beside, which repeats the rest. */
  private static final Signature TEXT =
      new Signature(DatasetFormat.TEXT, "Text", List.of(TextFormat.COLUMN));

  private RowFormats() {}

  /** The format of a name; null for Auto. */
  static RowFormat named(DatasetFormat format) {
    return switch (format) {
      case AUTO -> null;
      case ALPACA -> new AlpacaFormat();
      case MESSAGES -> new MessagesFormat();
      case SHARE_GPT -> new ShareGptFormat();
      case QUERY_RESPONSE -> new QueryResponseFormat();
      case PROMPT_COMPLETION -> new PromptCompletionFormat();
      case TEXT -> new TextFormat();
    };
  }

  /**
   * The format that a row's columns tell.
   *
   * @throws RowFault if they tell none, or more than one
   */
  static RowFormat detect(ObjectNode row) throws RowFault {
    List<Signature> fitting = SIGNATURES.stream().filter(each -> each.fits(row)).toList();
    if (fitting.stream().map(Signature::format).distinct().count() > 1) {
      throw new RowFault(
          "the columns fit "
              + fitting.stream().map(Signature::toString).collect(Collectors.joining(" and "))
              + "; set the source's format to one of them");
    } else if (!fitting.isEmpty()) {
      return named(fitting.get(0).format());
    } else if (TEXT.fits(row)) {
      return named(TEXT.format());
    }
    throw new RowFault(
        "unknown format: found "
            + RowFormat.columns(row)
            + "; known are "
            + SIGNATURES.stream().map(Signature::toString).collect(Collectors.joining(", "))
            + " and "
            + TEXT
            + "; name the columns that stand for them in the source's columns, such as output:"
            + " answer");
  }
}
