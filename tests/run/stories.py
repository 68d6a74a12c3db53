"""Made-up texts for the tests of groups and of the index."""

import random

WORDS = [f"word{number}" for number in range(400)]


def story_texts(seed: int) -> list[str]:
    """Return texts with copies, cut copies, exact repeats, briefs and empties, shuffled."""
    rng = random.Random(seed)
    texts = ["", "", "one brief line", "one brief line here"]
    for _ in range(6):
        story = rng.choices(WORDS, k=rng.randrange(4, 500))
        for _ in range(rng.randrange(1, 5)):
            copy = list(story)
            for _ in range(rng.randrange(0, 1 + len(copy) // 12)):
                copy[rng.randrange(len(copy))] = rng.choice(WORDS)
            texts.append(" ".join(copy[: rng.choice([len(copy), len(copy), len(copy) // 2])]))
    rng.shuffle(texts)
    return texts
