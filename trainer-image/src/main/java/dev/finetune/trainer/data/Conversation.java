package dev.finetune.trainer.data;

import java.util.List;

/**
 * A row of a data file: at most one system turn, then user and assistant in turn, ending with an
 * assistant.
 *
 * @param origin where it came from, {@code file:line}
 * @param messages the turns
 */
public record Conversation(String origin, List<Message> messages) {}
