package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.api.v1alpha1.ValidationOptions;
import dev.finetune.trainer.TrainerException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Reads, checks and tokenises a recipe's data before any weight is loaded. All rows of all files
 * are checked, as a stream: of what is read only the tokens are kept, and those in a file where
 * they are many.
 */
public final class DatasetPreparation {
  private final Supplier<ConversationForm> form;
  private final Tokenizer tokenizer;
  private final RowPictures pictures;
  private final String systemPrompt;
  private final Function<String, Path> files;
  private final long tokenBudget;

  /**
   * @param form how conversations become tokens; asked for only where a row is one
   * @param tokenizer the model's tokenizer
   * @param pictures opens the rows' pictures
   * @param systemPrompt system turn of conversations that have none; null for none
   * @param files where a source lies on this machine
   */
  public DatasetPreparation(
      Supplier<ConversationForm> form,
      Tokenizer tokenizer,
      RowPictures pictures,
      String systemPrompt,
      Function<String, Path> files) {
    this(form, tokenizer, pictures, systemPrompt, files, TokenStore.defaultBudget());
  }

  /**
   * @param tokenBudget bytes of tokens that may be kept in memory
   */
  DatasetPreparation(
      Supplier<ConversationForm> form,
      Tokenizer tokenizer,
      RowPictures pictures,
      String systemPrompt,
      Function<String, Path> files,
      long tokenBudget) {
    this.form = new Once<>(form);
    this.tokenizer = tokenizer;
    this.pictures = pictures;
    this.systemPrompt = systemPrompt;
    this.files = files;
    this.tokenBudget = tokenBudget;
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
    Faults faults = new Faults(dataset.invalidRows());
    LengthHistogram lengths = new LengthHistogram();
    RowTokenizer rows =
        new RowTokenizer(
            form,
            tokenizer,
            pictures,
            dataset.supervise(),
            training.maxLength(),
            training.overlong());
    List<DatasetSource> validationSources = validationSources(dataset.validation());
    int trainSources = dataset.train().size();
    int sources = trainSources + validationSources.size();
    try (Tokenization train =
            new Tokenization(rows, faults, lengths, new TokenStore(tokenBudget), sources);
        Tokenization heldOut =
            new Tokenization(rows, faults, lengths, new TokenStore(tokenBudget), sources)) {
      SourceReader reader =
          new SourceReader(systemPrompt, training.seed(), folder(dataset.imageFolder()));
      read(reader, dataset.train(), 0, train);
      read(reader, validationSources, trainSources, heldOut);
      Examples trainRows = train.examples();
      Examples validationRows = heldOut.examples();
      faults.throwIfAny();
      requireRows(trainRows, train.counts(), training, "dataset.train");
      if (!validationSources.isEmpty()) {
        requireRows(validationRows, heldOut.counts(), training, "dataset.validation.sources");
      }
      boolean[] held =
          validationSources.isEmpty()
              ? heldOut(trainRows.size(), fraction(dataset.validation()), training.seed())
              : new boolean[trainRows.size()];
      Examples kept = trainRows.select(where(held, false));
      Examples validation =
          validationSources.isEmpty() ? trainRows.select(where(held, true)) : validationRows;
      WeightedRows weighted =
          weighted(dataset.train(), train.keptOfSource(), held, training.seed());
      List<RowCounts> counts = List.of(train.counts(), heldOut.counts());
      PictureCounts pictureCounts =
          pictures
              .tiling()
              .map(tiling -> RowCounts.pictures(counts, tiling, training.maxLength()))
              .orElse(PictureCounts.NONE);
      return new PreparedDataset(
          kept,
          validation,
          weighted,
          verdict(kept, validation, weighted, counts, faults.skipped()),
          pictureCounts,
          lengths,
          DatasetWarnings.of(faults, training, tokenizer, counts, pictureCounts));
    }
  }

  private PictureFolder folder(String imageFolder) {
    if (imageFolder == null) {
      return new PictureFolder(null, files);
    }
    Path folder = files.apply(imageFolder);
    if (!Files.isDirectory(folder)) {
      throw new TrainerException(
          TrainerExit.DATA,
          "dataset.imageFolder %s doesn't exist or isn't a folder (looked for %s)"
              .formatted(imageFolder, folder));
    }
    return new PictureFolder(folder, files);
  }

  private static List<DatasetSource> validationSources(ValidationOptions validation) {
    return validation == null || validation.sources() == null ? List.of() : validation.sources();
  }

  private static double fraction(ValidationOptions validation) {
    return validation == null || validation.fraction() == null ? 0 : validation.fraction();
  }

  private void read(
      SourceReader reader, List<DatasetSource> sources, int firstNumber, Tokenization taker) {
    for (int i = 0; i < sources.size(); i++) {
      Path file = files.apply(sources.get(i).source());
      reader.read(sources.get(i), file, firstNumber + i, taker);
    }
  }

  private static void requireRows(
      Examples kept, RowCounts counts, TrainingOptions training, String field) {
    if (kept.isEmpty()) {
      throw new TrainerException(
          TrainerExit.DATA,
          "nothing is left of "
              + field
              + ": all "
              + counts.rows()
              + " rows were dropped, since they are longer than training.maxLength "
              + training.maxLength()
              + " or have nothing to learn within it; the longest has "
              + counts.longest()
              + " tokens; raise training.maxLength, or "
              + (counts.illustrated() > 0
                  ? "lower model.maxTiles"
                  : "set training.overlong to TruncateRight"));
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

  private static int[] where(boolean[] held, boolean wanted) {
    return IntStream.range(0, held.length).filter(row -> held[row] == wanted).toArray();
  }

  /** How often each row that isn't held out is taken. */
  private static WeightedRows weighted(
      List<DatasetSource> sources, int[] rowsOfSource, boolean[] held, long seed) {
    List<Integer> counts = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < sources.size(); i++) {
      int end = first + rowsOfSource[i];
      counts.add((int) IntStream.range(first, end).filter(row -> !held[row]).count());
      Double weight = sources.get(i).weight();
      weights.add(weight == null ? 1.0 : weight);
      first = end;
    }
    return new WeightedRows(counts, weights, seed);
  }

  private static DatasetVerdict verdict(
      Examples train,
      Examples validation,
      WeightedRows weighted,
      List<RowCounts> counts,
      int skipped) {
    return new DatasetVerdict(
        counts.stream().mapToInt(RowCounts::rows).sum() + skipped,
        train.size(),
        validation.size(),
        sum(counts, RowTokenizer.Fate.OVERLONG),
        sum(counts, RowTokenizer.Fate.UNSUPERVISED),
        skipped,
        counts.stream().mapToInt(RowCounts::cut).sum(),
        sum(counts, RowTokenizer.Fate.CUT_WITHOUT_END),
        weighted.mean(train::supervisedTokens),
        weighted.mean(train::length),
        train.longest());
  }

  private static int sum(List<RowCounts> counts, RowTokenizer.Fate fate) {
    return counts.stream().mapToInt(each -> each.of(fate)).sum();
  }

  /** Asks for a value once, whichever thread needs it first. */
  private static final class Once<T> implements Supplier<T> {
    private final Supplier<T> source;
    private T value;

    Once(Supplier<T> source) {
      this.source = source;
    }

    @Override
    public synchronized T get() {
      if (value == null) {
        value = source.get();
      }
      return value;
    }
  }
}
