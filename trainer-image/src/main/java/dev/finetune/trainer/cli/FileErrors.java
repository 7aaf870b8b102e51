package dev.finetune.trainer.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What an I/O error means, in words: the JDK's messages are often just a path. */
final class FileErrors {
  private FileErrors() {}

  static String describe(IOException e) {
    if (e instanceof NoSuchFileException missing) {
      return missing.getFile() + " doesn't exist";
    }
    if (e instanceof AccessDeniedException denied) {
      return "no permission for " + denied.getFile();
    }
    if (e instanceof FileAlreadyExistsException taken) {
      return taken.getFile() + " is there and isn't a folder";
    }
    if (e instanceof FileSystemException other && other.getReason() != null) {
      return other.getFile() + ": " + other.getReason();
    }
    return e.getMessage();
  }
}
