package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.GenerationScore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogFileTest {
  @TempDir Path folder;

  @Test
  void afterAResumeEachStepHasOneLine() throws IOException {
    write(0, 1, 2, 3, 4);
    write(2, 3, 4, 5);

    assertThat(Files.readAllLines(file()))
        .extracting(line -> line.substring(0, line.indexOf(',')))
        .containsExactly("{\"step\":1", "{\"step\":2", "{\"step\":3", "{\"step\":4", "{\"step\":5");
  }

  @Test
  void aTornLineIsCutOff() throws IOException {
    write(0, 1, 2);
    Files.writeString(file(), Files.readString(file()) + "{\"step\":3,\"lo");
    write(3, 4);

    assertThat(Files.readAllLines(file())).hasSize(3);
  }

  @Test
  void anEvaluationOfTheResumedStepStays() throws IOException {
    try (LogFile log = open(0)) {
      log.logged(report(2));
      log.evaluated(new EvaluationReport(2, 1.0, 0.5, 0.75));
      log.evaluated(new EvaluationReport(3, 1.5, 0.4, 0.75));
    }
    open(2).close();

    assertThat(Files.readAllLines(file()))
        .hasSize(2)
        .last()
        .asString()
        .contains("\"evalLoss\":0.5");
  }

  @Test
  void anEvaluationThatComesAgainIsCutOff() throws IOException {
    try (LogFile log = open(0)) {
      log.logged(report(2));
      log.evaluated(new EvaluationReport(2, 1.0, 0.5, 0.75));
    }
    try (LogFile log = open(2, false)) {
      log.evaluated(new EvaluationReport(2, 1.0, 0.5, 0.75));
    }

    assertThat(Files.readAllLines(file())).hasSize(2);
  }

  @Test
  void aRollbackCutsTheStepsThatComeAgainAndSaysWhatHappened() throws IOException {
    try (LogFile log = open(0)) {
      log.logged(report(1));
      log.logged(report(2));
      log.evaluated(new EvaluationReport(2, 0.5, 1.0, 0.75));
      log.logged(report(3));
      log.rolledBack(new Rollback(2, 0.5, true, 4, "the loss became NaN in step 4"));
      log.logged(report(3));
      log.leftOut(4, 1.0);
    }

    assertThat(Files.readAllLines(file()))
        .hasSize(6)
        .contains(
            "{\"step\":2,\"epoch\":0.5,\"rolledBackFrom\":4,"
                + "\"reason\":\"the loss became NaN in step 4\"}",
            "{\"step\":4,\"epoch\":1.0,\"leftOut\":true}");
  }

  @Test
  void aNewRunBeginsANewLog() throws IOException {
    write(0, 1, 2, 3);
    write(0, 1);

    assertThat(Files.readAllLines(file())).hasSize(1);
  }

  @Test
  void scoresOfAnswersStandBesideTheLoss() throws IOException {
    try (LogFile log = open(0)) {
      log.evaluated(
          new EvaluationReport(
              1,
              0.5,
              0,
              0.75,
              Map.of(
                  GenerationScore.BLEU, 0.25,
                  GenerationScore.ROUGE_L, 0.5,
                  GenerationScore.EXACT_MATCH, 0.125)));
    }

    assertThat(Files.readString(file()))
        .isEqualTo(
            "{\"step\":1,\"epoch\":0.5,\"evalLoss\":0.0,\"evalPerplexity\":1.0,"
                + "\"evalTokenAccuracy\":0.75,\"evalExactMatch\":0.125,\"evalRougeL\":0.5,"
                + "\"evalBleu\":0.25}\n");
  }

  @Test
  void numbersKeepTheirFullPrecision() throws IOException {
    try (LogFile log = open(0)) {
      log.logged(new StepReport(1, 1 / 3.0, 0.1 + 0.2, 0.25, 2 / 3.0, 1e-8, 7));
    }

    assertThat(Files.readString(file()))
        .isEqualTo(
            "{\"step\":1,\"epoch\":0.3333333333333333,\"loss\":0.30000000000000004,"
                + "\"tokenAccuracy\":0.25,\"gradientNorm\":0.6666666666666666,\"learningRate\":1.0E-8,\"tokens\":7}\n");
  }

  private void write(int from, int... steps) throws IOException {
    try (LogFile log = open(from)) {
      for (int step : steps) {
        log.logged(report(step));
      }
    }
  }

  private LogFile open(int step) throws IOException {
    return open(step, true);
  }

  private LogFile open(int step, boolean evaluated) throws IOException {
    return LogFile.open(
        file(),
        step,
        evaluated,
        warning -> {
          throw new AssertionError(warning);
        });
  }

  private Path file() {
    return folder.resolve(LogFile.NAME);
  }

  private static StepReport report(int step) {
    return new StepReport(step, step / 4.0, 1.5, 0.25, 0.5, 1e-4, 100);
  }
}
