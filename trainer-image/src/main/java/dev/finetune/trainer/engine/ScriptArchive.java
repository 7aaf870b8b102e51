package dev.finetune.trainer.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript archive of one module without parameters, made from its source. Its form is
 * PyTorch's (torch/csrc/jit/docs/serialization.md): a zip file with stored entries that holds the
 * source, a pickle of the module object and a pickle of the constants.
 */
final class ScriptArchive {
  private static final int PROTO = 0x80;
  private static final int NEW_OBJECT = 0x81;
  private static final int NEW_TRUE = 0x88;

  private ScriptArchive() {}

  /**
   * Builds the archive.
   *
   * @param className name of the module's class in the source
   * @param source TorchScript in the serialized form
   */
  static byte[] of(String className, String source) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, "script/data.pkl", moduleObject(className));
      store(zip, "script/code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
      store(zip, "script/constants.pkl", new byte[] {(byte) PROTO, 2, ')', '.'});
      store(zip, "script/version", ascii("3\n"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Pickles an object of {@code __torch__.NAME} with the state {@code {'training': True}}. */
  private static byte[] moduleObject(String className) {
    byte[] field = ascii("training");
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    pickle.write(PROTO);
    pickle.write(2);
    pickle.writeBytes(ascii("c__torch__\n" + className + "\n"));
    pickle.write(')');
    pickle.write(NEW_OBJECT);
    pickle.writeBytes(ascii("}("));
    pickle.writeBytes(new byte[] {'X', (byte) field.length, 0, 0, 0});
    pickle.writeBytes(field);
    pickle.write(NEW_TRUE);
    pickle.writeBytes(ascii("ub."));
    return pickle.toByteArray();
  }

  /** PyTorch reads entries in place and refuses compressed ones. */
  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
