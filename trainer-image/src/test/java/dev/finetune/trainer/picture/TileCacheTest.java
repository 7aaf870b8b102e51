package dev.finetune.trainer.picture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TileCacheTest {
  private final TileCache cache = new TileCache(10);

  @Test
  void whatWasUsedLongestAgoMakesRoom() {
    cache.keep("a", new byte[4]);
    cache.keep("b", new byte[4]);
    cache.take("a");
    cache.keep("c", new byte[4]);

    assertThat(cache.take("b")).isEmpty();
    assertThat(cache.take("a")).isPresent();
    assertThat(cache.take("c")).isPresent();
    assertThat(cache.bytes()).isEqualTo(8);
  }

  @Test
  void tilesLargerThanItAreNotKept() {
    cache.keep("a", new byte[11]);

    assertThat(cache.take("a")).isEmpty();
    assertThat(cache.expect("b", 11)).isFalse();
    assertThat(cache.bytes()).isZero();
  }

  @Test
  void equalContentIsHeldOnce() {
    cache.keep("a", new byte[4]);
    cache.keep("a", new byte[4]);

    assertThat(cache.bytes()).isEqualTo(4);
  }

  @Test
  void whatIsPrefetchedStaysUntilItIsUsed() {
    assertThat(cache.expect("a", 6)).isTrue();
    cache.fulfil("a", new byte[6]);
    assertThat(cache.expect("b", 6)).isFalse();
    cache.keep("c", new byte[5]);
    assertThat(cache.take("c")).isEmpty();

    assertThat(cache.take("a")).isPresent();

    assertThat(cache.expect("b", 6)).isTrue();
    assertThat(cache.take("a")).isEmpty();
  }

  @Test
  void theRoomOfTilesThatDoNotComeIsGivenBack() {
    assertThat(cache.expect("a", 6)).isTrue();
    assertThat(cache.expect("a", 6)).isFalse();
    cache.forget("a");

    assertThat(cache.expect("b", 10)).isTrue();
    cache.fulfil("a", new byte[6]);
    assertThat(cache.take("a")).isEmpty();
  }

  @Test
  void whatWillBeUsedAgainMakesNoRoom() {
    cache.keep("a", new byte[6]);
    assertThat(cache.expect("a", 6)).isFalse();

    assertThat(cache.expect("b", 6)).isFalse();
    assertThat(cache.take("a")).isPresent();
  }

  @Test
  void roomIsWhatNobodyHas() {
    cache.keep("a", new byte[4]);
    cache.expect("b", 3);

    assertThat(cache.hasRoom(3)).isTrue();
    assertThat(cache.hasRoom(4)).isFalse();
  }
}
