package dev.finetune.trainer.checkpoint;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Writes a folder so that it is there whole or not at all, whatever happens in between: into a
 * temporary folder beside its place, files and folder flushed to the disk, the manifest last, read
 * back, and then renamed. The {@link Fence} is asked before the first byte and before the rename.
 */
final class AtomicFolder implements Closeable {
  static final String WRITING = ".writing";
  private static final String REPLACED = ".replaced";

  /** Writes a file's content to a stream. */
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Opens a new file; the place where tests let a disk run full. */
  interface FileOpener {
    OutputStream open(Path file) throws IOException;
  }

  private final Path target;
  private final Path temporary;
  private final FileOpener opener;
  private final Fence fence;
  private final Map<String, Manifest.Entry> written = new LinkedHashMap<>();

  AtomicFolder(Path target, FileOpener opener, Fence fence) throws IOException {
    fence.check();
    this.fence = fence;
    this.target = target;
    this.temporary = target.resolveSibling("." + target.getFileName() + WRITING);
    this.opener = opener;
    deleteFolder(temporary);
    Files.createDirectory(temporary);
  }

  void write(String name, byte[] content) throws IOException {
    write(name, out -> out.write(content));
  }

  void write(String name, Content content) throws IOException {
    Path file = temporary.resolve(name);
    MessageDigest digest = Sha256.digest();
    try (OutputStream out = opener.open(file)) {
      content.writeTo(new DigestOutputStream(out, digest));
    }
    flush(file);
    written.put(name, new Manifest.Entry(Files.size(file), Sha256.hex(digest)));
  }

  /**
   * Completes the folder and puts it in its place; one that is there already is replaced.
   *
   * @return the manifest, read back from the disk together with every file
   */
  Manifest commit() throws IOException {
    Manifest intended = Manifest.of(written);
    Path manifest = temporary.resolve(Manifest.FILE);
    try (OutputStream out = opener.open(manifest)) {
      out.write(intended.toJson());
    }
    flush(manifest);
    flush(temporary);
    Manifest found = Manifest.verify(temporary);
    if (!found.equals(intended)) {
      throw new IOException("what was read back from " + temporary + " isn't what was written");
    }
    fence.check();
    Path replaced = target.resolveSibling("." + target.getFileName() + REPLACED);
    if (Files.exists(target)) {
      Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    flush(target.getParent());
    deleteFolder(replaced);
    return found;
  }

  /** Removes what was written, unless it was committed. */
  @Override
  public void close() throws IOException {
    deleteFolder(temporary);
  }

  /** Brings a folder back to order after writing in it was interrupted. */
  static void recover(Path parent) throws IOException {
    for (Path child : children(parent)) {
      String name = child.getFileName().toString();
      if (name.startsWith(".") && name.endsWith(WRITING)) {
        deleteFolder(child);
      } else if (name.startsWith(".") && name.endsWith(REPLACED)) {
        Path target = child.resolveSibling(name.substring(1, name.length() - REPLACED.length()));
        if (Files.exists(target)) {
          deleteFolder(child);
        } else {
          Files.move(child, target, StandardCopyOption.ATOMIC_MOVE);
        }
      }
    }
  }

  static List<Path> children(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.sorted().toList();
    }
  }

  static void deleteFolder(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static void flush(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
