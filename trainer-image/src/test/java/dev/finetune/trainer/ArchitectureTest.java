package dev.finetune.trainer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final String ROOT = "dev.finetune.trainer";

  private static final JavaClasses TRAINER =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT, "ai.djl.pytorch.jni");

  @Test
  void theMathsKnowsNothingOfReportsCheckpointsAndTheCommandLine() {
    noClasses()
        .that()
        .resideInAnyPackage(ROOT + ".model..", ROOT + ".method..", ROOT + ".engine..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(ROOT + ".report..", ROOT + ".checkpoint..", ROOT + ".cli..")
        .check(TRAINER);
  }

  @Test
  void theProcessGroupKnowsOnlyTheEngine() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".distributed..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..", ROOT, ROOT + ".distributed..", ROOT + ".engine..", "dev.finetune.api..")
        .check(TRAINER);
  }

  @Test
  void packagesDependOnEachOtherInOneDirection() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(TRAINER);
  }

  @Test
  void nothingUsesKubernetes() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.fabric8..", "io.kubernetes..")
        .check(TRAINER);
  }

  @Test
  void noKubernetesClientIsOnTheClassPath() {
    assertThatThrownBy(() -> Class.forName("io.fabric8.kubernetes.client.KubernetesClient"))
        .isInstanceOf(ClassNotFoundException.class);
    assertThatThrownBy(() -> Class.forName("io.fabric8.kubernetes.api.model.HasMetadata"))
        .isInstanceOf(ClassNotFoundException.class);
  }
}
