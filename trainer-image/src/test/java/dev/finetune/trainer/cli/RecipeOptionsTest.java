package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.Schedule;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

class RecipeOptionsTest {
  private static final List<String> LEAST =
      List.of("--model", "/models/m", "--dataset", "/data/a.json", "--output_dir", "/out");

  @TempDir Path folder;

  @Test
  void theNamesOfSwift2BuildTheRecipe() {
    Recipe recipe =
        recipe(
            "--model_id_or_path /models/qwen --template_type chatml --dataset /data/a.jsonl#500"
                + " /data/b.json --val_dataset /data/v.json --system Hello --sft_type lora"
                + " --lora_rank 8 --lora_alpha 16 --lora_dropout_p 0.1 --lora_target_modules q_proj"
                + " v_proj --use_rslora True --num_train_epochs 5 --max_steps 100 --learning_rate"
                + " 2e-4 --lr_scheduler_type linear --warmup_ratio 0.1 --weight_decay 0.01"
                + " --adam_beta1 0.8 --adam_beta2 0.999 --adam_epsilon 1e-7 --max_grad_norm 0.5"
                + " --batch_size 4 --gradient_accumulation_steps 2 --max_length 512"
                + " --truncation_strategy truncation_left --dtype fp32 --gradient_checkpointing"
                + " false --seed 7 --logging_steps 1 --eval_steps 50 --save_steps 100"
                + " --save_total_limit 3 --output_dir /out");

    assertThat(recipe.model().source()).isEqualTo("file:///models/qwen");
    assertThat(recipe.model().template()).isEqualTo(ChatTemplateName.CHATML);
    assertThat(recipe.model().systemPrompt()).isEqualTo("Hello");
    assertThat(recipe.dataset().train()).hasSize(2);
    assertThat(recipe.dataset().train().get(0).source()).isEqualTo("file:///data/a.jsonl");
    assertThat(recipe.dataset().train().get(0).sample()).isEqualTo(500);
    assertThat(recipe.dataset().train().get(1).sample()).isNull();
    assertThat(recipe.dataset().validation().sources().get(0).source())
        .isEqualTo("file:///data/v.json");
    var lora = recipe.method().lora();
    assertThat(lora.rank()).isEqualTo(8);
    assertThat(lora.alpha()).isEqualTo(16);
    assertThat(lora.dropout()).isEqualTo(0.1);
    assertThat(lora.targetModules()).containsExactly("q_proj", "v_proj");
    assertThat(lora.variant()).isEqualTo(LoraVariant.RANK_STABILIZED);
    var training = recipe.training();
    assertThat(training.epochs()).isEqualTo(5);
    assertThat(training.maxSteps()).isEqualTo(100);
    assertThat(training.learningRate()).isEqualTo(2e-4);
    assertThat(training.schedule()).isEqualTo(Schedule.LINEAR);
    assertThat(training.warmupRatio()).isEqualTo(0.1);
    assertThat(training.weightDecay()).isEqualTo(0.01);
    assertThat(training.adamBeta1()).isEqualTo(0.8);
    assertThat(training.adamBeta2()).isEqualTo(0.999);
    assertThat(training.adamEpsilon()).isEqualTo(1e-7);
    assertThat(training.maxGradNorm()).isEqualTo(0.5);
    assertThat(training.batchSize()).isEqualTo(4);
    assertThat(training.gradientAccumulationSteps()).isEqualTo(2);
    assertThat(training.maxLength()).isEqualTo(512);
    assertThat(training.overlong()).isEqualTo(Overlong.TRUNCATE_LEFT);
    assertThat(training.precision()).isEqualTo(Precision.FP32);
    assertThat(training.gradientCheckpointing()).isFalse();
    assertThat(training.seed()).isEqualTo(7);
    assertThat(training.loggingSteps()).isEqualTo(1);
    assertThat(training.evalSteps()).isEqualTo(50);
    assertThat(training.saveSteps()).isEqualTo(100);
    assertThat(training.keepCheckpoints()).isEqualTo(3);
    assertThat(recipe.output().destination()).isEqualTo("file:///out");
  }

  @Test
  void theNamesOfSwift3BuildTheSame() {
    Recipe recipe =
        recipe(
            "--model /models/qwen --template llama3 --dataset pvc://data/a.json --train_type lora"
                + " --lora_dropout 0.1 --target_modules all-linear --split_dataset_ratio 0.2"
                + " --per_device_train_batch_size 4 --torch_dtype bfloat16 --truncation_strategy"
                + " delete --output_dir pvc://models/tuned");

    assertThat(recipe.model().template()).isEqualTo(ChatTemplateName.LLAMA3);
    assertThat(recipe.dataset().train().get(0).source()).isEqualTo("pvc://data/a.json");
    assertThat(recipe.dataset().validation().fraction()).isEqualTo(0.2);
    assertThat(recipe.method().lora().dropout()).isEqualTo(0.1);
    assertThat(recipe.method().lora().targetModules()).containsExactly("all-linear");
    assertThat(recipe.training().batchSize()).isEqualTo(4);
    assertThat(recipe.training().precision()).isEqualTo(Precision.BF16);
    assertThat(recipe.training().overlong()).isEqualTo(Overlong.DROP);
    assertThat(recipe.output().destination()).isEqualTo("pvc://models/tuned");
  }

  @Test
  void whatNoFlagSaysIsTheSchemasDefault() {
    Recipe recipe = least();

    assertThat(recipe.method().lora().rank()).isEqualTo(16);
    assertThat(recipe.method().lora().alpha()).isEqualTo(32);
    assertThat(recipe.training().epochs()).isEqualTo(3);
    assertThat(recipe.training().adamBeta2()).isEqualTo(0.95);
    assertThat(recipe.dataset().validation().fraction()).isEqualTo(0.01);
    assertThat(recipe.dataset().shuffle()).isTrue();
  }

  @Test
  void swiftsWordsForNoLimitAndForAllLayersAreUnderstood() {
    Recipe recipe = least("--max_steps", "-1", "--max_length", "-1", "--target_modules", "ALL");

    assertThat(recipe.training().maxSteps()).isNull();
    assertThat(recipe.training().maxLength()).isEqualTo(1048576);
    assertThat(recipe.method().lora().targetModules()).containsExactly("all-linear");
  }

  @Test
  void transformersConstantScheduleHasNoWarmUpUnlessItIsAskedFor() {
    assertThat(least("--lr_scheduler_type", "constant").training().warmupRatio()).isZero();
    assertThat(
            least("--lr_scheduler_type", "constant", "--warmup_ratio", "0.1")
                .training()
                .warmupRatio())
        .isEqualTo(0.1);
    assertThat(least("--lr_scheduler_type", "constant_with_warmup").training().warmupRatio())
        .isEqualTo(0.05);
  }

  @Test
  void dashesEqualSignsAndBareSwitchesAreUnderstood() {
    Recipe recipe = least("--lora-rank=4", "--learning_rate=.5", "--use_rslora");

    assertThat(recipe.method().lora().rank()).isEqualTo(4);
    assertThat(recipe.training().learningRate()).isEqualTo(0.5);
    assertThat(recipe.method().lora().variant()).isEqualTo(LoraVariant.RANK_STABILIZED);
  }

  @Test
  void aFlagOverridesTheRecipeFile() throws IOException {
    Path file = folder.resolve("recipe.yaml");
    Files.writeString(
        file,
        """
        model: {source: "pvc://models/m"}
        dataset: {train: [{source: "pvc://data/a.json"}]}
        method: {lora: {rank: 8, alpha: 8}}
        output: {destination: "pvc://out/a"}
        """);

    Recipe recipe = parse(file, "--recipe", file.toString(), "--lora_rank", "32");

    assertThat(recipe.method().lora().rank()).isEqualTo(32);
    assertThat(recipe.method().lora().alpha()).isEqualTo(8);
  }

  @Test
  void aViolationNamesTheFlagAsItWasGiven() {
    assertThatThrownBy(() -> least("--batch_size", "0"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("--batch_size (recipe.training.batchSize): ");
    assertThatThrownBy(() -> least("--learning_rate", "fast"))
        .hasMessageContaining("--learning_rate (recipe.training.learningRate): ")
        .hasMessageContaining("fast");
  }

  @Test
  void whatIsMissingNamesTheFlagThatSetsIt() {
    assertThatThrownBy(() -> recipe("--lora_rank 8"))
        .hasMessageContaining("--model (recipe.model): is required")
        .hasMessageContaining("--dataset (recipe.dataset): is required")
        .hasMessageContaining("--output_dir (recipe.output): is required");
  }

  @Test
  void aWordThatIsNotServedIsRefusedWithThoseThatAre() {
    assertThatThrownBy(() -> least("--sft_type", "full"))
        .hasMessageContaining("full")
        .hasMessageContaining("lora");
    assertThatThrownBy(() -> least("--lr_scheduler_type", "polynomial"))
        .hasMessageContaining("cosine");
    assertThatThrownBy(() -> least("--torch_dtype", "float16")).hasMessageContaining("bf16");
  }

  @Test
  void anUnknownFlagIsNamedWithTheNearestOne() {
    Program end = Program.run("sft", "--learning_rat", "1e-4");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err()).contains("unknown flag --learning_rat, did you mean --learning_rate?");
  }

  @Test
  void eachFlagThatIsNotServedIsRefusedByNameWithWhatToUse() {
    Program end =
        Program.run(
            "sft",
            "--use_flash_attn",
            "True",
            "--device_map",
            "auto",
            "--dataset",
            "a.json",
            "--warmup_steps",
            "3");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err())
        .contains(
            "--use_flash_attn isn't served",
            "--device_map isn't served by this version: use --parallelism Layers")
        .contains("--warmup_steps isn't served by this version: use --warmup_ratio");
  }

  @Test
  void aFlagGivenTwiceIsRefused() {
    Program end = Program.run("sft", "--output_dir", "/a", "--output_dir", "/b");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err()).contains("--output_dir").contains("only once");
  }

  @Test
  void noFlagIsBothServedAndRefused() {
    List<String> served = RecipeFlags.ALL.stream().flatMap(flag -> flag.names().stream()).toList();

    assertThat(served).doesNotHaveDuplicates().doesNotContainAnyElementsOf(UnservedFlags.names());
  }

  @Test
  void everyFlagIsExplainedByItsFieldsOwnDescription() {
    String help = Program.run("sft", "--help").out();

    RecipeFlags.ALL.forEach(
        flag -> assertThat(help).contains(flag.names()).contains("(" + flag.path() + ")"));
  }

  private Recipe recipe(String arguments) {
    return parse(null, arguments.split(" ", -1));
  }

  private Recipe least(String... more) {
    List<String> arguments = new ArrayList<>(LEAST);
    arguments.addAll(List.of(more));
    return parse(null, arguments.toArray(String[]::new));
  }

  private static Recipe parse(Path file, String... arguments) {
    CommandLine program =
        Main.commandLine(
            new GracefulStop(),
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    List<String> line = new ArrayList<>(List.of("sft"));
    line.addAll(List.of(arguments));
    ParseResult parsed =
        program.parseArgs(RecipeOptions.spelled(line.toArray(String[]::new))).subcommand();
    return RecipeOptions.recipe(parsed, file, Optional.empty()).recipe();
  }
}
