package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The list of a folder's files, written last: a folder is complete if and only if it agrees with
 * its manifest.
 *
 * @param files each file's size and hash, by its name
 */
record Manifest(SortedMap<String, Entry> files) {
  static final String FILE = "manifest.json";

  /**
   * @param sizeBytes length of the file
   * @param sha256 hash of its content, in hexadecimal digits
   */
  record Entry(long sizeBytes, String sha256) {}

  static Manifest of(Map<String, Entry> files) {
    return new Manifest(new TreeMap<>(files));
  }

  byte[] toJson() throws JsonProcessingException {
    return Json.bytes(this);
  }

  long sizeBytes() {
    return files.values().stream().mapToLong(Entry::sizeBytes).sum();
  }

  /**
   * Reads a folder's manifest and every file that it lists.
   *
   * @throws IOException if the folder isn't complete, with what is wrong
   */
  static Manifest verify(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new IOException("it has no " + FILE);
    }
    Manifest manifest = Json.read(file, Manifest.class);
    for (Map.Entry<String, Entry> listed : manifest.files().entrySet()) {
      Path content = folder.resolve(listed.getKey());
      if (!Files.isRegularFile(content)) {
        throw new IOException("its file " + listed.getKey() + " is missing");
      }
      Entry found = entryOf(content);
      if (!found.equals(listed.getValue())) {
        throw new IOException(
            "its file %s doesn't agree with the manifest (%d bytes, %d expected)"
                .formatted(listed.getKey(), found.sizeBytes(), listed.getValue().sizeBytes()));
      }
    }
    return manifest;
  }

  static Entry entryOf(Path file) throws IOException {
    return new Entry(Files.size(file), Sha256.of(file));
  }
}
