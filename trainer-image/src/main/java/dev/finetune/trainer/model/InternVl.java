package dev.finetune.trainer.model;

/** The two forms of an InternVL folder. */
final class InternVl {
  /** OpenGVLab's own. */
  static final String ORIGINAL = "InternVLChatModel";

  /** That of transformers. */
  static final String TRANSFORMERS = "InternVLForConditionalGeneration";

  private InternVl() {}
}
