package dev.finetune.trainer.picture;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Opens pictures, and holds the tiles of some of them: those that were used last and those that are
 * prefetched. Equal files have their tiles in common, whatever their names. For any number of
 * threads.
 */
public final class Pictures implements PictureOpener, AutoCloseable {
  private static final int THREADS = 2;
  private static final int QUEUE = 256;
  private static final long IDLE_SECONDS = 30;

  private final Tiling tiling;
  private final TileCache cache;
  private final DecodingMemory memory;

  /** By content, what is being made or waits for it. */
  private final ConcurrentMap<String, FutureTask<byte[]>> making = new ConcurrentHashMap<>();

  private final ThreadPoolExecutor threads;

  /**
   * @param tiling how the model wants its pictures cut
   * @param budgetBytes bytes of tiles that may be held
   */
  public Pictures(Tiling tiling, long budgetBytes) {
    this(tiling, budgetBytes, new DecodingMemory(Runtime.getRuntime().maxMemory()));
  }

  Pictures(Tiling tiling, long budgetBytes, DecodingMemory memory) {
    this.tiling = tiling;
    this.cache = new TileCache(budgetBytes);
    this.memory = memory;
    this.threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE),
            task -> {
              Thread thread = new Thread(task, "pictures");
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
  }

  /** The budget of a process: an eighth of its heap, 512 MiB at most. */
  public static long defaultBudget() {
    return Math.min(512L << 20, Runtime.getRuntime().maxMemory() / 8);
  }

  /**
   * Reads and decodes a picture, so that a broken one is found at once.
   *
   * @return the picture without its pixels
   * @throws PictureFault beginning with the file's path, if it can't be read or is no picture
   */
  @Override
  public Picture open(Path file) throws PictureFault {
    try {
      byte[] bytes = Files.readAllBytes(file);
      CodedPicture coded = CodedPicture.of(bytes);
      RgbImage image = memory.decode(coded);
      TileGrid grid = TileGrid.of(coded.width(), coded.height(), tiling);
      String sha256 = sha256(bytes);
      if (cache.hasRoom(Tiles.bytes(grid, tiling)) && cache.take(sha256).isEmpty()) {
        cache.keep(sha256, Tiles.cut(image, grid, tiling));
      }
      return new Opened(file, coded.width(), coded.height(), grid, sha256);
    } catch (PictureFault e) {
      throw new PictureFault(file + " " + e.getMessage());
    } catch (NoSuchFileException e) {
      throw new PictureFault(file + " isn't there: check its name and the folder of the pictures");
    } catch (IOException e) {
      throw new PictureFault(file + " can't be read (" + e + "): check its rights and its disk");
    } catch (OutOfMemoryError e) {
      throw new PictureFault(
          file
              + " takes more memory than Java's heap has left: scale it down, or give the trainer"
              + " more memory");
    }
  }

  /** Ends the threads; what was opened can't be prefetched any more. */
  @Override
  public void close() {
    threads.shutdownNow();
  }

  /** Bytes of tiles that are held. */
  long heldBytes() {
    return cache.bytes();
  }

  /** Tiles that are being made or wait for it. */
  int making() {
    return making.size();
  }

  private byte[] pixels(Opened picture) {
    Optional<byte[]> held = cache.take(picture.sha256());
    if (held.isPresent()) {
      return held.get();
    }
    byte[] made = joinOrMake(picture);
    if (cache.take(picture.sha256()).isEmpty()) {
      cache.keep(picture.sha256(), made);
    }
    return made;
  }

  private byte[] joinOrMake(Opened picture) {
    FutureTask<byte[]> own = new FutureTask<>(() -> make(picture));
    FutureTask<byte[]> other = making.putIfAbsent(picture.sha256(), own);
    if (other == null) {
      return result(own);
    }
    try {
      return result(other);
    } catch (TrainerException e) {
      // The other's file may have another name.
      return make(picture);
    }
  }

  /** Runs what waits for a thread, or waits for what runs. */
  private byte[] result(FutureTask<byte[]> task) {
    task.run();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof TrainerException fault) {
            throw fault;
          }
          throw new IllegalStateException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void prefetch(Opened picture) {
    String content = picture.sha256();
    if (making.containsKey(content) || !cache.expect(content, Tiles.bytes(picture.grid, tiling))) {
      return;
    }
    FutureTask<byte[]> task = new FutureTask<>(() -> make(picture));
    if (making.putIfAbsent(content, task) != null) {
      cache.forget(content);
      return;
    }
    try {
      threads.execute(task);
    } catch (RejectedExecutionException e) {
      making.remove(content, task);
      cache.forget(content);
    }
  }

  private byte[] make(Opened picture) {
    try {
      byte[] tiles = decode(picture);
      cache.fulfil(picture.sha256(), tiles);
      return tiles;
    } finally {
      cache.forget(picture.sha256());
      making.remove(picture.sha256());
    }
  }

  private byte[] decode(Opened picture) {
    try {
      byte[] bytes = Files.readAllBytes(picture.file);
      if (!sha256(bytes).equals(picture.sha256())) {
        throw new TrainerException(
            TrainerExit.DATA,
            picture.file
                + " has changed since the data was checked: leave pictures alone while the"
                + " trainer runs, and start it again");
      }
      return Tiles.cut(memory.decode(CodedPicture.of(bytes)), picture.grid, tiling);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.DATA,
          picture.file
              + " can't be read any more: leave pictures where they are while the trainer runs",
          e);
    } catch (PictureFault e) {
      // It was decoded before; only memory may have become less.
      throw new TrainerException(TrainerExit.DATA, picture.file + " " + e.getMessage(), e);
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      // Every Java platform must have it.
      throw new IllegalStateException(e);
    }
  }

  private final class Opened implements Picture {
    private final Path file;
    private final int width;
    private final int height;
    private final TileGrid grid;
    private final String sha256;

    Opened(Path file, int width, int height, TileGrid grid, String sha256) {
      this.file = file;
      this.width = width;
      this.height = height;
      this.grid = grid;
      this.sha256 = sha256;
    }

    @Override
    public int tiles() {
      return grid.tiles(tiling);
    }

    @Override
    public int width() {
      return width;
    }

    @Override
    public int height() {
      return height;
    }

    @Override
    public String sha256() {
      return sha256;
    }

    @Override
    public byte[] pixels() {
      return Pictures.this.pixels(this);
    }

    @Override
    public void prefetch() {
      Pictures.this.prefetch(this);
    }

    @Override
    public String toString() {
      return file.toString();
    }
  }
}
