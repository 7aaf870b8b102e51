package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** What to train on and what to validate with. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetOptions(
    @JsonPropertyDescription("Files to train on, mixed by the shuffle; 1 to 32.")
        @Required
        @Size(min = 1, max = 32)
        List<DatasetSource> train,
    @JsonPropertyDescription("What the evaluation loss is measured on. Default 1 % of the rows.")
        @Default("{}")
        ValidationOptions validation,
    @JsonPropertyDescription(
            "True draws a new order of the training rows for each epoch, from the seed; false keeps"
                + " the files' order. Default true.")
        @Default("true")
        Boolean shuffle,
    @JsonPropertyDescription(
            "Which tokens the loss counts: Answers (the assistant's turns), LastAnswer (the last of"
                + " them) or All. A message's own loss (true or false), or weight (1 or 0), comes before"
                + " it. Default Answers.")
        @Default("\"Answers\"")
        Supervision supervise,
    @JsonPropertyDescription(
            "What follows a row that can't be read: Fail ends the run before training, Skip leaves"
                + " the row out and counts it. Either lists them by file and line. Default Fail.")
        @Default("\"Fail\"")
        InvalidRowPolicy invalidRows,
    @JsonPropertyDescription(
            "Folder that the rows' pictures are looked up in: pvc://CLAIM/PATH, or file:///PATH where"
                + " the cluster is this machine. Default: the folder of the row's file.")
        @Pattern(Sources.PATTERN)
        @Size(max = 1024)
        String imageFolder) {}
