package dev.finetune.trainer.export;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.ChatTemplate;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.model.PictureInput;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.picture.Tiling;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Prompts on which two forms of a model are compared: speech, numbers, code, another script, and a
 * picture where the model takes pictures.
 *
 * @param ids the prompt's token ids
 * @param pictures those whose tokens they have
 */
record Probe(int[] ids, List<Picture> pictures) {
  private static final List<String> TEXTS =
      List.of(
          "What is the capital of France?",
          "Explain in two sentences why the sky is blue.",
          "Continue the sequence: 1, 1, 2, 3, 5, 8, 13,",
          "Write a Python function that reverses a list.",
          "Übersetze ins Deutsche: \u4f60\u597d\uff0c\u4e16\u754c");

  /** The probes of a model, in the chat template where it has one. */
  static List<Probe> of(Path model) {
    List<Probe> probes = new ArrayList<>();
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      for (String text : TEXTS) {
        probes.add(new Probe(tokenizer.encode(rendered(model, text)), List.of()));
      }
      PictureInput.of(model).ifPresent(tiling -> probes.add(withPicture(tokenizer, tiling)));
    }
    return probes;
  }

  private static String rendered(Path model, String text) {
    try {
      return ChatTemplate.load(model, ChatTemplateName.AUTO, Clock.systemUTC())
          .render(List.of(new Message(Message.USER, text)), true);
    } catch (TrainerException e) {
      // A base model may have none, and then the text alone is a prompt.
      return text;
    }
  }

  private static Probe withPicture(Tokenizer tokenizer, Tiling tiling) {
    int[] pieces = new int[tiling.tokensPerTile()];
    Arrays.fill(pieces, tokenizer.encode(PictureInput.TOKEN)[0]);
    int[] ids =
        IntStream.concat(
                Arrays.stream(pieces), Arrays.stream(tokenizer.encode("What is in the picture?")))
            .toArray();
    return new Probe(ids, List.of(new Stripes(tiling.size())));
  }

  /** A tile whose channels have stripes in different directions. */
  private record Stripes(int size) implements Picture {
    @Override
    public int tiles() {
      return 1;
    }

    @Override
    public int width() {
      return size;
    }

    @Override
    public int height() {
      return size;
    }

    @Override
    public String sha256() {
      return "";
    }

    @Override
    public byte[] pixels() {
      byte[] pixels = new byte[size * size * 3];
      for (int i = 0; i < size * size; i++) {
        int x = i % size;
        int y = i / size;
        pixels[3 * i] = (byte) (7 * x);
        pixels[3 * i + 1] = (byte) (5 * y);
        pixels[3 * i + 2] = (byte) (3 * (x + y));
      }
      return pixels;
    }

    @Override
    public void prefetch() {}
  }
}
