package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.TokenizedExample;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** SHA-256 of what a run learns from and of what it learns on top of. */
final class Fingerprints {
  /** Files up to this size are hashed whole: all but the weights of a real model. */
  private static final long WHOLE_BYTES = 64L << 20;

  private static final int BLOCK_BYTES = 1 << 20;
  private static final int BLOCKS = 32;

  private Fingerprints() {}

  /**
   * Hash of the tokenised rows and their pictures, so of the files, the template and the tokenizer
   * together.
   */
  static String of(PreparedDataset dataset) {
    MessageDigest digest = sha256();
    update(digest, dataset.train());
    update(digest, dataset.validation());
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void update(MessageDigest digest, List<TokenizedExample> rows) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(rows.size()).flip());
    for (TokenizedExample row : rows) {
      ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (1 + 2 * row.length()));
      bytes.putInt(row.length());
      bytes.asIntBuffer().put(row.inputIds()).put(row.labels());
      digest.update(bytes.rewind());
      row.pictures()
          .forEach(each -> digest.update(each.sha256().getBytes(StandardCharsets.US_ASCII)));
    }
  }

  /**
   * Hash of a model folder's JSON and weight files. Of a large file only its size and 32 blocks of
   * 1 MiB evenly spread over it are hashed: tuning moves every matrix, and hashing all of a large
   * model would take minutes at each start.
   *
   * @throws TrainerException MODEL if a file can't be read
   */
  static String of(Path modelFolder) {
    MessageDigest digest = sha256();
    try (Stream<Path> files = Files.list(modelFolder)) {
      for (Path file : files.filter(Fingerprints::counts).sorted().toList()) {
        digest.update(file.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        update(digest, file);
      }
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.MODEL, "the model folder can't be read: " + FileErrors.describe(e), e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static boolean counts(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".json") || name.endsWith(".safetensors");
  }

  private static void update(MessageDigest digest, Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long size = channel.size();
      digest.update(ByteBuffer.allocate(Long.BYTES).putLong(size).flip());
      long stride = size <= WHOLE_BYTES ? BLOCK_BYTES : (size - BLOCK_BYTES) / (BLOCKS - 1);
      for (long start = 0; start < size; start += stride) {
        ByteBuffer block = ByteBuffer.allocate((int) Math.min(BLOCK_BYTES, size - start));
        while (block.hasRemaining() && channel.read(block, start + block.position()) >= 0) {
          // One read needn't fill the block.
        }
        digest.update(block.flip());
      }
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
  }
}
