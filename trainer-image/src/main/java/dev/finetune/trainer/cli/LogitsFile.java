package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.PictureTags;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model makes of prompts, to be compared with another program's: ids.N (T) of I64 and
 * logits.N (T, V) of F32 of the N-th prompt, from 0.
 *
 * @param file the safetensors file
 */
record LogitsFile(Path file) {
  /**
   * Writes the file.
   *
   * @param system the system turn, or null
   * @param pictures of each prompt
   * @throws TrainerException OUTPUT if it can't be written, or is there already
   */
  void write(Responder responder, String system, List<String> prompts, List<Picture> pictures) {
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < prompts.size(); i++) {
      List<Message> conversation = new ArrayList<>();
      if (system != null) {
        conversation.add(new Message(Message.SYSTEM, system));
      }
      conversation.add(
          new Message(Message.USER, PictureTags.tagged(prompts.get(i), pictures.size())));
      int[] ids = responder.ids(conversation, pictures);
      HostTensor logits = responder.generator().logits(ids, pictures);
      tensors.put(
          "ids." + i, HostTensor.ofLongs(Arrays.stream(ids).asLongStream().toArray(), ids.length));
      long[] shape = {logits.shape()[1], logits.shape()[2]};
      tensors.put("logits." + i, new HostTensor(logits.dtype(), shape, logits.bytes()));
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(channel, tensors);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "%s can't be written: %s; name a file that isn't there"
              .formatted(file, FileErrors.describe(e)),
          e);
    }
  }
}
