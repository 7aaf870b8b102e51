package dev.finetune.images;

import java.nio.charset.StandardCharsets;

/**
 * A file, folder or link of an image.
 *
 * @param path where it lies, from the root
 * @param mode its permissions
 * @param user its owner
 * @param size in bytes; 0 of a folder or a link
 * @param type what it is
 * @param target what a link names; empty otherwise
 * @param sha256 hash of a file's content, in hexadecimal digits; empty otherwise
 * @param content the bytes of a small file; empty otherwise
 */
record ImageFile(
    String path,
    int mode,
    long user,
    long size,
    Type type,
    String target,
    String sha256,
    byte[] content) {
  enum Type {
    FILE,
    FOLDER,
    LINK
  }

  String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  String text() {
    return new String(content, StandardCharsets.UTF_8);
  }

  boolean isJar() {
    return type == Type.FILE && path.endsWith(".jar");
  }
}
