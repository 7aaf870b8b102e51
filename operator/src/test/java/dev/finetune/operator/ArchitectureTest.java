package dev.finetune.operator;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.finetune.operator.observe.Observation;
import io.fabric8.kubernetes.client.CustomResource;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final JavaClasses OPERATOR =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.finetune.operator");

  /** What a pure class may know: plain Java, the API, Kubernetes' model, and JSON. */
  private static final String[] PURE = {
    "java..",
    "dev.finetune.api..",
    "io.fabric8.kubernetes.api.model..",
    "io.fabric8.kubernetes.api.builder..",
    "com.fasterxml.jackson..",
    "dev.finetune.operator.config..",
    "dev.finetune.operator.resources..",
    "dev.finetune.operator.status..",
    "dev.finetune.operator.validate.."
  };

  @Test
  void desiredObjectsStatusAndRulesArePure() {
    classes()
        .that()
        .resideInAnyPackage(
            "dev.finetune.operator.resources",
            "dev.finetune.operator.status",
            "dev.finetune.operator.validate")
        .should()
        .onlyDependOnClassesThat(
            // A FineTuneJob is a CustomResource, a class of the client's that holds no client.
            resideInAnyPackage(PURE).or(type(CustomResource.class)))
        .check(OPERATOR);
  }

  @Test
  void theDecisionIsPure() {
    classes()
        .that()
        .haveSimpleNameStartingWith("NextStep")
        .or()
        .haveSimpleName("Backoff")
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(PURE)
                .or(type(Observation.class))
                .or(type(CustomResource.class))
                .or(resideInAnyPackage("dev.finetune.operator.reconcile")))
        .check(OPERATOR);
    noClasses()
        .that()
        .haveSimpleNameStartingWith("NextStep")
        .should()
        .dependOnClassesThat()
        .haveSimpleNameEndingWith("Reconciler")
        .check(OPERATOR);
  }

  @Test
  void onlyTheStatusWriterWritesAStatus() {
    noClasses()
        .that()
        .doNotHaveSimpleName("StatusWriter")
        .and()
        // The lease is no FineTuneJob.
        .resideOutsideOfPackage("dev.finetune.operator.leader")
        .should()
        .callMethodWhere(
            target(nameMatching("serverSideApply.*|patch.*|update.*|replace.*"))
                .and(target(owner(resideInAnyPackage("io.fabric8..", "io.javaoperatorsdk..")))))
        .check(OPERATOR);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.finetune.operator.(*)..").should().beFreeOfCycles().check(OPERATOR);
  }
}
