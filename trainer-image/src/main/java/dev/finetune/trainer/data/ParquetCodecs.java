package dev.finetune.trainer.data;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * The compressions of Parquet files, without Hadoop's codecs and their native libraries. Only for
 * reading.
 */
final class ParquetCodecs implements CompressionCodecFactory {
  @Override
  public BytesInputCompressor getCompressor(CompressionCodecName codec) {
    throw new UnsupportedOperationException("no Parquet file is written here");
  }

  /**
   * The decompressor of a codec.
   *
   * @throws UnsupportedOperationException naming those that can be read
   */
  @Override
  public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
    return switch (codec) {
      case UNCOMPRESSED -> new Pages((page, size) -> page);
      case SNAPPY -> new Pages(of(new SnappyDecompressor()));
      case ZSTD -> new Pages(of(new ZstdDecompressor()));
      case LZ4_RAW -> new Pages(of(new Lz4Decompressor()));
      case GZIP -> new Pages(ParquetCodecs::gunzip);
      default ->
          throw new UnsupportedOperationException(
              "compressed with "
                  + codec
                  + "; write the file with SNAPPY, ZSTD, GZIP, LZ4_RAW or UNCOMPRESSED");
    };
  }

  @Override
  public void release() {
    // Nothing is kept.
  }

  /** Decompresses a page. */
  private interface Codec {
    byte[] decompress(byte[] page, int size) throws IOException;
  }

  private static Codec of(Decompressor decompressor) {
    return (page, size) -> {
      byte[] out = new byte[size];
      decompressor.decompress(page, 0, page.length, out, 0, size);
      return out;
    };
  }

  private static byte[] gunzip(byte[] page, int size) throws IOException {
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(page))) {
      return in.readNBytes(size);
    }
  }

  /** Parquet's interface to a codec. */
  private record Pages(Codec codec) implements BytesInputDecompressor {
    @Override
    public BytesInput decompress(BytesInput page, int size) throws IOException {
      return BytesInput.from(codec.decompress(page.toInputStream().readAllBytes(), size));
    }

    @Override
    public void decompress(ByteBuffer page, int compressedSize, ByteBuffer out, int size)
        throws IOException {
      byte[] bytes = new byte[compressedSize];
      page.get(bytes);
      out.put(codec.decompress(bytes, size), 0, size);
    }

    @Override
    public void release() {
      // Nothing is kept.
    }
  }
}
