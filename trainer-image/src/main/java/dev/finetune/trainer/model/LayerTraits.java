package dev.finetune.trainer.model;

import java.util.OptionalLong;

/**
 * What the layers of an architecture have besides its sizes, as far as it takes memory.
 *
 * @param norms of the hidden state: two, or four where what attention and the MLP give has its own
 * @param headNorms whether each head of q and k has a norm
 * @param fusedProjections whether q, k and v are one linear layer, and the MLP's gate and its other
 *     half another
 * @param cappedScores whether attention's scores have a soft cap, for which they are written out
 * @param cappedLogits whether the logits have one
 * @param slidingWindow tokens that a token sees in the layers with a window, itself among them;
 *     empty where every layer sees all before it
 */
public record LayerTraits(
    int norms,
    boolean headNorms,
    boolean fusedProjections,
    boolean cappedScores,
    boolean cappedLogits,
    OptionalLong slidingWindow) {}
