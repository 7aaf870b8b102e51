package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.api.v1alpha1.ValidationOptions;
import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Reads, checks and tokenises a recipe's data before any weight is loaded. All rows of all files
 * are checked first, then all are tokenised, over all processors and in order.
 */
public final class DatasetPreparation {
  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final String systemPrompt;
  private final Function<String, Path> files;

  /**
   * @param template the chat template
   * @param tokenizer the model's tokenizer
   * @param systemPrompt system turn of conversations that have none; null for none
   * @param files where a source lies on this machine
   */
  public DatasetPreparation(
      ChatTemplate template,
      Tokenizer tokenizer,
      String systemPrompt,
      Function<String, Path> files) {
    this.template = template;
    this.tokenizer = tokenizer;
    this.systemPrompt = systemPrompt;
    this.files = files;
  }

  /**
   * Prepares a data set.
   *
   * @param dataset files, and what is held out of them
   * @param training length limit, what becomes of longer rows, and the seed of every draw
   * @throws TrainerException with {@link TrainerExit#DATA}, listing the first twenty faults with
   *     file and line, or saying that nothing is left to train on
   */
  public PreparedDataset prepare(DatasetOptions dataset, TrainingOptions training) {
    Faults faults = new Faults();
    ConversationReader reader = new ConversationReader(systemPrompt, training.seed(), faults);
    ValidationOptions validation = dataset.validation();
    boolean fromFiles =
        validation != null && validation.sources() != null && !validation.sources().isEmpty();
    List<Conversation> trainRows = read(reader, dataset.train(), 0);
    List<Conversation> validationRows =
        fromFiles ? read(reader, validation.sources(), dataset.train().size()) : List.of();
    faults.throwIfAny();

    Tokenized train = tokenize(trainRows, training, faults);
    Tokenized heldOut = tokenize(validationRows, training, faults);
    faults.throwIfAny();
    requireRows(train, training, "dataset.train");
    if (fromFiles) {
      requireRows(heldOut, training, "dataset.validation.sources");
      return prepared(train.examples, heldOut.examples, train, heldOut);
    }
    double fraction =
        validation == null || validation.fraction() == null ? 0 : validation.fraction();
    boolean[] held = heldOut(train.examples.size(), fraction, training.seed());
    return prepared(
        where(train.examples, held, false), where(train.examples, held, true), train, heldOut);
  }

  private List<Conversation> read(
      ConversationReader reader, List<DatasetSource> sources, int firstNumber) {
    List<Conversation> rows = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      Path file = files.apply(sources.get(i).source());
      rows.addAll(reader.read(sources.get(i), file, firstNumber + i));
    }
    return rows;
  }

  /** Rows after tokenising; those that were dropped are in neither list but in the numbers. */
  private record Tokenized(List<TokenizedExample> examples, int rows, int longest) {
    int dropped() {
      return rows - examples.size();
    }
  }

  /** A row's outcome or what is wrong with it. */
  private record Attempt(ConversationTokenizer.Outcome outcome, String fault) {}

  private Tokenized tokenize(List<Conversation> rows, TrainingOptions training, Faults faults) {
    ConversationTokenizer conversations =
        new ConversationTokenizer(template, tokenizer, training.maxLength(), training.overlong());
    List<Attempt> attempts = rows.parallelStream().map(row -> attempt(conversations, row)).toList();
    List<TokenizedExample> examples = new ArrayList<>();
    int longest = 0;
    for (int i = 0; i < attempts.size(); i++) {
      Attempt attempt = attempts.get(i);
      if (attempt.fault != null) {
        faults.add(rows.get(i).origin(), attempt.fault);
      } else {
        longest = Math.max(longest, attempt.outcome.length());
        if (attempt.outcome.example() != null) {
          examples.add(attempt.outcome.example());
        }
      }
    }
    return new Tokenized(examples, rows.size(), longest);
  }

  private static Attempt attempt(ConversationTokenizer conversations, Conversation row) {
    try {
      return new Attempt(conversations.tokenize(row), null);
    } catch (RowFault e) {
      return new Attempt(null, e.getMessage());
    }
  }

  private static void requireRows(Tokenized tokenized, TrainingOptions training, String field) {
    if (tokenized.examples.isEmpty()) {
      throw new TrainerException(
          TrainerExit.DATA,
          "nothing is left of "
              + field
              + ": all "
              + tokenized.rows
              + " rows were dropped, since they are longer than training.maxLength "
              + training.maxLength()
              + " or have nothing to learn within it; the longest has "
              + tokenized.longest
              + " tokens; raise training.maxLength, or set training.overlong to TruncateRight");
    }
  }

  /** Draws the rows to hold out: the fraction's share, at least one, never all. */
  private static boolean[] heldOut(int rows, double fraction, long seed) {
    boolean[] held = new boolean[rows];
    if (fraction > 0 && rows >= 2) {
      int count = (int) Math.min(rows - 1, Math.max(1, Math.round(fraction * rows)));
      int[] order = new SplitMix64(seed, SplitMix64.Purpose.VALIDATION, 0).permutation(rows);
      Arrays.stream(order, 0, count).forEach(row -> held[row] = true);
    }
    return held;
  }

  private static List<TokenizedExample> where(
      List<TokenizedExample> examples, boolean[] held, boolean wanted) {
    return IntStream.range(0, held.length)
        .filter(row -> held[row] == wanted)
        .mapToObj(examples::get)
        .toList();
  }

  private static PreparedDataset prepared(
      List<TokenizedExample> train,
      List<TokenizedExample> validation,
      Tokenized trainRows,
      Tokenized validationRows) {
    DatasetVerdict verdict =
        new DatasetVerdict(
            trainRows.rows + validationRows.rows,
            train.size(),
            validation.size(),
            trainRows.dropped() + validationRows.dropped(),
            train.stream().mapToLong(TokenizedExample::supervisedTokens).sum(),
            train.stream().mapToInt(TokenizedExample::length).max().orElse(0));
    return new PreparedDataset(List.copyOf(train), List.copyOf(validation), verdict);
  }
}
