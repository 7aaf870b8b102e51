package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** The training loop's settings. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TrainingOptions(
    @JsonPropertyDescription("Passes over the training rows, 1 to 10000. Default 3.")
        @Default("3")
        @Min(1)
        @Max(10000)
        Integer epochs,
    @JsonPropertyDescription(
            "Optimizer steps after which training ends, at least 1; the schedule is laid over them."
                + " Default none: all epochs.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer maxSteps,
    @JsonPropertyDescription(
            "Peak learning rate, above 0 and at most 1. Default 0.0001, and 0.00001 with method.full.")
        @Min(value = 0, inclusive = false)
        @Max(1)
        Double learningRate,
    @JsonPropertyDescription(
            "How the rate falls after warm-up: Constant, Linear (to 0) or Cosine (half a wave to 0)."
                + " Default Cosine.")
        @Default("\"Cosine\"")
        Schedule schedule,
    @JsonPropertyDescription(
            "Share of all steps in which the rate rises linearly from 0, 0 to 1; rounded up to whole"
                + " steps. Default 0.05.")
        @Default("0.05")
        @Min(0)
        @Max(1)
        Double warmupRatio,
    @JsonPropertyDescription(
            "Steps in which the rate rises linearly from 0, instead of warmupRatio; at least 1."
                + " Default none.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer warmupSteps,
    @JsonPropertyDescription(
            "AdamW's decoupled weight decay, on matrices only, 0 to 10. Default 0.1.")
        @Default("0.1")
        @Min(0)
        @Max(10)
        Double weightDecay,
    @JsonPropertyDescription("AdamW's decay of the gradient's mean, 0 to below 1. Default 0.9.")
        @Default("0.9")
        @Min(0)
        @Max(value = 1, inclusive = false)
        Double adamBeta1,
    @JsonPropertyDescription(
            "AdamW's decay of the squared gradient's mean, 0 to below 1. Default 0.95.")
        @Default("0.95")
        @Min(0)
        @Max(value = 1, inclusive = false)
        Double adamBeta2,
    @JsonPropertyDescription(
            "AdamW's term added to the root of the squared gradient's mean, above 0. Default 1e-8.")
        @Default("1.0e-8")
        @Min(value = 0, inclusive = false)
        Double adamEpsilon,
    @JsonPropertyDescription(
            "Largest global L2 norm of the gradient; a larger one is scaled down to it. 0 turns"
                + " clipping off. Default 1.")
        @Default("1.0")
        @Min(0)
        Double maxGradNorm,
    @JsonPropertyDescription("Sequences per device and micro-batch, 1 to 4096. Default 2.")
        @Default("2")
        @Min(1)
        @Max(4096)
        Integer batchSize,
    @JsonPropertyDescription("Micro-batches per optimizer step, 1 to 4096. Default 8.")
        @Default("8")
        @Min(1)
        @Max(4096)
        Integer gradientAccumulationSteps,
    @JsonPropertyDescription("Longest sequence in tokens, 8 to 1048576. Default 2048.")
        @Default("2048")
        @Min(8)
        @Max(1048576)
        Integer maxLength,
    @JsonPropertyDescription(
            "What becomes of a longer row: Drop leaves it out and counts it, TruncateLeft keeps its"
                + " end, TruncateRight its beginning. Default Drop.")
        @Default("\"Drop\"")
        Overlong overlong,
    @JsonPropertyDescription(
            "True fills each of a micro-batch's batchSize sequences with several rows up to maxLength."
                + " Rows never see each other and the loss of a row doesn't change. Default false.")
        @Default("false")
        Boolean packing,
    @JsonPropertyDescription(
            "True draws rows of like length into the same micro-batch, so that less is padded; the"
                + " order then depends on the lengths. Default false.")
        @Default("false")
        Boolean groupByLength,
    @JsonPropertyDescription(
            "Number format of the frozen weights and the activations: FP32, BF16, or Auto, which is"
                + " BF16 on a GPU that has it and FP32 on a CPU. The adapter and the optimizer are"
                + " always FP32. Default Auto.")
        @Default("\"Auto\"")
        Precision precision,
    @JsonPropertyDescription(
            "True keeps only each layer's input and computes the rest again in the backward pass: a"
                + " third more time, a fraction of the memory. Default true.")
        @Default("true")
        Boolean gradientCheckpointing,
    @JsonPropertyDescription(
            "Noise on the embeddings in training (NEFTune, arXiv:2310.05914): uniform in +-alpha /"
                + " sqrt(length x size), above 0. Default none.")
        @Min(value = 0, inclusive = false)
        Double neftuneAlpha,
    @JsonPropertyDescription(
            "Seed of shuffle, held-out rows, adapter initialisation and dropout, 0 to 2147483647."
                + " Default 42.")
        @Default("42")
        @Min(0)
        @Max(Integer.MAX_VALUE)
        Integer seed,
    @JsonPropertyDescription("Optimizer steps between log lines, at least 1. Default 5.")
        @Default("5")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer loggingSteps,
    @JsonPropertyDescription(
            "Optimizer steps between evaluations, at least 1. An epoch's end and every checkpoint are"
                + " evaluated in any case. Default none.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer evalSteps,
    @JsonPropertyDescription(
            "Optimizer steps between checkpoints, at least 1. An epoch's end is saved in any case."
                + " Default 500.")
        @Default("500")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer saveSteps,
    @JsonPropertyDescription(
            "Checkpoints kept on disk, 1 to 1000; the newest and the best stay in any case. Default"
                + " 2.")
        @Default("2")
        @Min(1)
        @Max(1000)
        Integer keepCheckpoints,
    @JsonPropertyDescription(
            "Evaluations without a better loss after which training ends with the best checkpoint, at"
                + " least 1. Default none: never.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer earlyStoppingPatience,
    @JsonPropertyDescription(
            "What follows a loss that is NaN or infinite: Fail, or Rollback, once, to the last"
                + " checkpoint, leaving the step's rows out. Default Fail.")
        @Default("\"Fail\"")
        NonFinitePolicy onNonFiniteLoss) {}
