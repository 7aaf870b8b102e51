package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Activation;
import dev.finetune.api.v1alpha1.AdapterOptions;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.FreezeOptions;
import dev.finetune.api.v1alpha1.GenerationScore;
import dev.finetune.api.v1alpha1.Ia3Options;
import dev.finetune.api.v1alpha1.InvalidRowPolicy;
import dev.finetune.api.v1alpha1.LoraInitialization;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.PromptTuningOptions;
import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.Schedule;
import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

class RecipeOptionsTest {
  private static final List<String> LEAST =
      List.of("--model", "/models/m", "--dataset", "/data/a.json", "--output_dir", "/out");

  /** The flags of ms-swift 2.6 and 3.12 for sft, a name a line. */
  private static final Path SWIFT_FLAGS = Path.of("src/test/resources/swift-flags.txt");

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
    assertThatThrownBy(() -> least("--sft_type", "longlora"))
        .hasMessageContaining("longlora")
        .hasMessageContaining("lora")
        .hasMessageContaining("prefix_tuning");
    assertThatThrownBy(() -> least("--lr_scheduler_type", "polynomial"))
        .hasMessageContaining("cosine");
    assertThatThrownBy(() -> least("--torch_dtype", "float16")).hasMessageContaining("bf16");
    assertThatThrownBy(() -> least("--template", "chatlm")).hasMessageContaining("chatml");
  }

  @Test
  void eachMethodHasItsFlags() {
    assertThat(least("--train_type", "full", "--last_layers", "2").method().full().lastLayers())
        .isEqualTo(2);
    assertThat(least("--sft_type", "full").training().learningRate()).isEqualTo(1e-5);
    assertThat(least().training().learningRate()).isEqualTo(1e-4);
    assertThat(least("--train_type", "ia3", "--target_modules", "k_proj").method().ia3())
        .isEqualTo(new Ia3Options(List.of("k_proj"), null));
    assertThat(
            least("--sft_type", "adapter", "--adapter_act", "relu", "--adapter_length", "64")
                .method()
                .adapter())
        .isEqualTo(new AdapterOptions(64, Activation.RELU));
    assertThat(
            least("--train_type", "prefix_tuning", "--num_virtual_tokens", "7")
                .method()
                .prefixTuning()
                .virtualTokens())
        .isEqualTo(7);
    PromptTuningOptions prompt =
        least(
                "--train_type",
                "prompt_tuning",
                "--num_virtual_tokens",
                "7",
                "--prompt_tuning_init_text",
                "Be brief.")
            .method()
            .promptTuning();
    assertThat(prompt).isEqualTo(new PromptTuningOptions(7, "Be brief."));
    var lora = least("--use_dora", "--init_weights", "pissa_niter_4", "--lora_lr_ratio", "16.0");
    assertThat(lora.method().lora().variant()).isEqualTo(LoraVariant.DORA);
    assertThat(lora.method().lora().initialization()).isEqualTo(LoraInitialization.PISSA);
    assertThat(lora.method().lora().learningRateRatio()).isEqualTo(16);
  }

  @Test
  void onlyLoraIsMerged() {
    assertThatThrownBy(() -> least("--train_type", "ia3", "--merge_lora", "true"))
        .hasMessageContaining("--merge_lora (recipe.output.merge): output.merge merges a LoRA");
    assertThat(least("--train_type", "ia3", "--merge_lora", "false").output().merge()).isFalse();
  }

  @Test
  void aFlagOfAnotherMethodIsRefused() {
    assertThatThrownBy(() -> least("--train_type", "full", "--lora_rank", "8"))
        .hasMessageContaining("--lora_rank sets method.lora.rank, but the method is full");
  }

  @Test
  void theOtherSettingsOfSwiftReachTheRecipe() {
    Recipe recipe =
        least(
            "--warmup_steps",
            "7",
            "--packing",
            "true",
            "--neftune_noise_alpha",
            "5",
            "--quantization_bit",
            "4",
            "--loss_scale",
            "last_round",
            "--strict",
            "false",
            "--early_stop_interval",
            "3",
            "--merge_lora",
            "true",
            "--predict_with_generate",
            "--max_new_tokens",
            "64",
            "--save_total_limit",
            "-1",
            "--columns",
            "{\"question\": \"query\"}");

    assertThat(recipe.training().warmupSteps()).isEqualTo(7);
    assertThat(recipe.training().packing()).isTrue();
    assertThat(recipe.training().neftuneAlpha()).isEqualTo(5);
    assertThat(recipe.model().quantization()).isEqualTo(Quantization.NF4);
    assertThat(recipe.dataset().supervise()).isEqualTo(Supervision.LAST_ANSWER);
    assertThat(recipe.dataset().invalidRows()).isEqualTo(InvalidRowPolicy.SKIP);
    assertThat(recipe.training().earlyStoppingPatience()).isEqualTo(3);
    assertThat(recipe.output().merge()).isTrue();
    assertThat(recipe.dataset().validation().scores())
        .containsExactly(GenerationScore.ROUGE_L, GenerationScore.BLEU);
    assertThat(recipe.dataset().validation().answerTokens()).isEqualTo(64);
    assertThat(recipe.training().keepCheckpoints()).isEqualTo(1000);
    assertThat(recipe.dataset().train().get(0).columns())
        .containsExactly(Map.entry("query", "question"));
  }

  @Test
  void theFlagsOfModelsForPicturesReachTheRecipe() {
    Recipe recipe =
        least(
            "--template_type",
            "internvl2",
            "--max_dynamic_patch",
            "6",
            "--media_dir",
            "/photos",
            "--freeze_vit",
            "false",
            "--freeze_aligner",
            "--freeze_llm",
            "False");

    assertThat(recipe.model().template()).isEqualTo(ChatTemplateName.INTERN_VL2);
    assertThat(recipe.model().maxTiles()).isEqualTo(6);
    assertThat(recipe.model().freeze()).isEqualTo(new FreezeOptions(false, true, false));
    assertThat(recipe.dataset().imageFolder()).isEqualTo("file:///photos");
    assertThat(least("--image_folder", "pvc://data/photos").dataset().imageFolder())
        .isEqualTo("pvc://data/photos");
    for (String name : List.of("internvl2_5", "internvl3")) {
      assertThat(least("--template", name).model().template())
          .isEqualTo(ChatTemplateName.INTERN_VL2_5);
    }
    assertThatThrownBy(() -> least("--max_tiles", "0"))
        .hasMessageContaining("--max_tiles (recipe.model.maxTiles): ");
    assertThatThrownBy(() -> least("--freeze_vit", "half"))
        .hasMessageContaining("--freeze_vit (recipe.model.freeze.visionTower): ");
  }

  @Test
  void whatStaysFrozenIsFilledInWhereAPartOfItIsGiven() {
    assertThat(least().model().freeze()).isNull();
    assertThat(least("--freeze_llm", "true").model().freeze())
        .isEqualTo(new FreezeOptions(true, false, true));
    assertThat(least("--freeze_vit", "false").model().freeze())
        .isEqualTo(new FreezeOptions(false, false, false));
  }

  @Test
  void partsOfAModelForPicturesHaveNoSettingsOfTheirOwn() {
    Program end =
        Program.run(
            "sft",
            "--vit_lr",
            "1e-5",
            "--aligner_lr",
            "1e-5",
            "--vit_gradient_checkpointing",
            "true",
            "--max_pixels",
            "1003520");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err())
        .contains("--vit_lr isn't served by this version: use --learning_rate")
        .contains("--aligner_lr isn't served by this version: use --learning_rate")
        .contains("--vit_gradient_checkpointing isn't served by this version: leave it out: the")
        .contains("--max_pixels isn't served by this version: use --max_tiles");
  }

  @Test
  void weightsThatTrainAreNotStoredInFourBits() {
    assertThatThrownBy(() -> least("--train_type", "full", "--quant_bits", "4"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining(
            "--quant_bits (recipe.model.quantization): NF4 stores frozen weights");
    assertThatThrownBy(() -> least("--quant_bits", "8"))
        .hasMessageContaining("--quant_bits 8 isn't served")
        .hasMessageContaining("[0, 4]");
    assertThatThrownBy(() -> least("--quant_bits", "4", "--bnb_4bit_quant_type", "fp4"))
        .hasMessageContaining("use nf4");
  }

  @Test
  void whatChangesNothingIsTakenAndSaid() {
    assertThat(
            notes(
                "--model_type",
                "internvl2-8b",
                "--template_type",
                "qwen2_5",
                "--use_flash_attn",
                "True",
                "--lora_target_modules",
                "ALL",
                "--lazy_tokenize"))
        .containsExactly(
            "--template_type qwen2_5: the chat template is the model's own, which its tokenizer"
                + " comes with",
            "--lora_target_modules ALL: every linear layer but the head gets an adapter, in a model"
                + " for pictures those of the parts that train (model.freeze)",
            "--model_type internvl2-8b: the architecture is read from the model's config.json",
            "--use_flash_attn True: the fastest attention that the device has is used",
            "--lazy_tokenize true: rows are read and tokenised once, over all processors");
    assertThat(notes("--lora_rank", "8")).isEmpty();
  }

  @Test
  void aValueThatWouldBeIgnoredIsRefused() {
    assertThatThrownBy(() -> least("--report_to", "wandb"))
        .hasMessageContaining("--report_to wandb isn't served")
        .hasMessageContaining("logging.jsonl");
    assertThatThrownBy(() -> least("--deepspeed", "zero3"))
        .hasMessageContaining("--parallelism Layers");
    assertThatThrownBy(() -> least("--fp16", "true")).hasMessageContaining("bfloat16");
  }

  @Test
  void everyFlagOfSwiftIsAppliedNotedOrRefused() throws IOException {
    Set<String> known = new HashSet<>(Set.of("--ddp_timeout", "--custom_dataset_info"));
    known.addAll(List.of("--device_max_memory", "--columns"));
    known.addAll(MethodFlags.METHOD.names());
    RecipeFlags.ALL.forEach(flag -> known.addAll(flag.names()));
    NotedFlags.ALL.forEach(flag -> known.addAll(flag.names()));

    assertThat(Files.readAllLines(SWIFT_FLAGS))
        .filteredOn(line -> !line.startsWith("#"))
        .isNotEmpty()
        .allMatch(flag -> known.contains(flag) || UnservedFlags.adviceFor(flag).isPresent());
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
            "--resume_only_model",
            "True",
            "--device_map",
            "auto",
            "--dataset",
            "a.json",
            "--galore_rank",
            "3");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err())
        .contains(
            "--resume_only_model isn't served",
            "--device_map isn't served by this version: use --parallelism Layers")
        .contains("--galore_rank isn't served by this version: there are --train_type lora");
  }

  @Test
  void aFlagGivenTwiceIsRefused() {
    Program end = Program.run("sft", "--output_dir", "/a", "--output_dir", "/b");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err()).contains("--output_dir").contains("only once");
  }

  @Test
  void noFlagIsBothServedAndRefused() {
    List<String> served =
        Stream.concat(
                RecipeFlags.ALL.stream().flatMap(flag -> flag.names().stream()),
                NotedFlags.ALL.stream().flatMap(flag -> flag.names().stream()))
            .toList();

    assertThat(served).doesNotHaveDuplicates().doesNotContainAnyElementsOf(UnservedFlags.names());
  }

  @Test
  void everyFlagIsExplainedByItsFieldsOwnDescription() {
    String help = Program.run("sft", "--help").out();

    RecipeFlags.ALL.forEach(
        flag -> assertThat(help).contains(flag.names()).contains("(" + flag.path() + ")"));
  }

  /** The command is what stands in the example's head, in lines of three blanks. */
  @ParameterizedTest
  @ValueSource(strings = {"tutorial.yaml", "internvl2-8b-four-gpus.yaml"})
  void anExampleIsWhatTheCommandInItsHeadSays(String file) throws IOException {
    Path example = Path.of("../examples").resolve(file);
    String command =
        Files.readAllLines(example).stream()
            .filter(line -> line.startsWith("#   "))
            .map(line -> line.substring(1).strip())
            .collect(Collectors.joining(" "));
    ParseResult parsed = parsed(command.replaceFirst("^swift sft ", "").split(" ", -1));
    JsonNode spec = ResolvedRecipe.readTree(example).get("spec");
    ObjectNode written = ResolvedRecipe.of((ObjectNode) spec.get("recipe"), field -> field).tree();

    assertThat(withoutPaths(written))
        .isEqualTo(withoutPaths(RecipeOptions.recipe(parsed, null).tree()));
    List<String> amounts = new ArrayList<>();
    spec.at("/resources/deviceMaxMemory").forEach(amount -> amounts.add(amount.asText()));
    assertThat(command).contains("--device_max_memory " + String.join(" ", amounts));
    assertThat(spec.at("/resources/gpusPerNode").asInt()).isEqualTo(amounts.size());
    assertThat(spec.at("/resources/parallelism").asText()).isEqualTo("Layers");
  }

  private static ObjectNode withoutPaths(ObjectNode recipe) {
    ObjectNode rest = recipe.deepCopy();
    rest.withObject("/model").remove("source");
    rest.withObject("/dataset").remove("imageFolder");
    rest.at("/dataset/train").forEach(file -> ((ObjectNode) file).remove("source"));
    rest.withObject("/output").remove("destination");
    return rest;
  }

  private Recipe recipe(String arguments) {
    return parse(null, arguments.split(" ", -1));
  }

  private Recipe least(String... more) {
    List<String> arguments = new ArrayList<>(LEAST);
    arguments.addAll(List.of(more));
    return parse(null, arguments.toArray(String[]::new));
  }

  private static List<String> notes(String... more) {
    List<String> arguments = new ArrayList<>(LEAST);
    arguments.addAll(List.of(more));
    return RecipeOptions.notes(parsed(arguments.toArray(String[]::new)));
  }

  private static Recipe parse(Path file, String... arguments) {
    return RecipeOptions.recipe(parsed(arguments), file).recipe();
  }

  private static ParseResult parsed(String... arguments) {
    CommandLine program =
        Main.commandLine(
            new GracefulStop(),
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    List<String> line = new ArrayList<>(List.of("sft"));
    line.addAll(List.of(arguments));
    return program.parseArgs(RecipeOptions.spelled(line.toArray(String[]::new))).subcommand();
  }
}
