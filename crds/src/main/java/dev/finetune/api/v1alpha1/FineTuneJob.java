package dev.finetune.api.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/**
 * Fine-tunes one language model on one data set.
 *
 * <p>The name is limited to 52 characters because children are named after it: a Job's pods get the
 * host name {@code <name>-<attempt>-<index>}, which must fit the 63 characters of a DNS label.
 */
@Group("finetune.dev")
@Version("v1alpha1")
@ShortNames("ftj")
@Categories("ml")
@ValidationRule(
    value = "size(self.metadata.name) <= 52",
    message =
        "metadata.name must be at most 52 characters, so that the names of its Jobs and pods fit")
@ValidationRule(
    value =
        "!has(oldSelf.status) || !has(oldSelf.status.attempts) || oldSelf.status.attempts.size() == 0"
            + " || self.spec.recipe == oldSelf.spec.recipe",
    message =
        "spec.recipe is immutable once the first attempt has started; create a new FineTuneJob for"
            + " another recipe")
@AdditionalPrinterColumn(
    name = "CHECKPOINT",
    jsonPath = ".status.checkpoints.latest.location",
    type = AdditionalPrinterColumn.Type.STRING,
    priority = 1)
@AdditionalPrinterColumn(
    name = "AGE",
    jsonPath = ".metadata.creationTimestamp",
    type = AdditionalPrinterColumn.Type.DATE)
public class FineTuneJob extends CustomResource<FineTuneJobSpec, FineTuneJobStatus>
    implements Namespaced {

  @Override
  protected FineTuneJobStatus initStatus() {
    return null;
  }
}
