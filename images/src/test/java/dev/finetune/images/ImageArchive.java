package dev.finetune.images;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * An image in Docker's archive format: manifest.json, the configuration and a tar for each layer.
 *
 * @param name its reference, such as ghcr.io/finetune-operator/operator:0.1.0
 * @param config its configuration: user, entrypoint, environment, labels
 * @param files what its layers put together, by path
 */
record ImageArchive(String name, JsonNode config, SortedMap<String, ImageFile> files) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Longest file whose content is kept. */
  private static final int SMALL = 1 << 20;

  static ImageArchive read(Path archive) throws IOException {
    Map<String, JsonNode> documents = new HashMap<>();
    Map<String, SortedMap<String, ImageFile>> layers = new HashMap<>();
    try (TarArchiveInputStream tar = tar(Files.newInputStream(archive))) {
      for (TarArchiveEntry entry; (entry = tar.getNextEntry()) != null; ) {
        if (entry.getName().endsWith(".json")) {
          documents.put(entry.getName(), JSON.readTree(tar.readAllBytes()));
        } else if (entry.getName().endsWith(".tar.gz")) {
          layers.put(entry.getName(), layer(new GZIPInputStream(tar)));
        }
      }
    } catch (NoSuchFileException e) {
      throw new IOException(archive + " isn't built; run: mvn -Pimages package", e);
    }
    JsonNode manifest = documents.get("manifest.json").get(0);
    SortedMap<String, ImageFile> files = new TreeMap<>();
    manifest.get("Layers").forEach(layer -> files.putAll(layers.get(layer.asText())));
    return new ImageArchive(
        manifest.get("RepoTags").get(0).asText(),
        documents.get(manifest.get("Config").asText()).get("config"),
        files);
  }

  private static SortedMap<String, ImageFile> layer(InputStream content) throws IOException {
    SortedMap<String, ImageFile> files = new TreeMap<>();
    // Not closed: it would close the archive that it is read from.
    TarArchiveInputStream tar = tar(content);
    for (TarArchiveEntry entry; (entry = tar.getNextEntry()) != null; ) {
      ImageFile file = file(entry, tar);
      files.put(file.path(), file);
    }
    return files;
  }

  private static ImageFile file(TarArchiveEntry entry, InputStream content) throws IOException {
    String path = "/" + entry.getName().replaceFirst("^\\./", "").replaceFirst("/$", "");
    int mode = entry.getMode() & 07777;
    if (entry.isDirectory() || entry.isSymbolicLink() || entry.isLink()) {
      ImageFile.Type type = entry.isDirectory() ? ImageFile.Type.FOLDER : ImageFile.Type.LINK;
      String target = entry.isDirectory() ? "" : entry.getLinkName();
      return new ImageFile(path, mode, entry.getLongUserId(), 0, type, target, "", new byte[0]);
    }
    MessageDigest digest = sha256();
    DigestInputStream digested = new DigestInputStream(content, digest);
    byte[] kept = digested.readNBytes(entry.getSize() <= SMALL ? SMALL : 0);
    digested.transferTo(OutputStream.nullOutputStream());
    return new ImageFile(
        path,
        mode,
        entry.getLongUserId(),
        entry.getSize(),
        ImageFile.Type.FILE,
        "",
        HexFormat.of().formatHex(digest.digest()),
        kept);
  }

  private static TarArchiveInputStream tar(InputStream content) {
    return new TarArchiveInputStream(new BufferedInputStream(content, SMALL));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
