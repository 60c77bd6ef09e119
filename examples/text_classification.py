"""Tells which chapter a piece of text is from, with an embedding and attention.

Run ``python examples/text_classification.py``. The text is Python's own reference, which comes with Python: chapters on
the debugger, on formatting strings, on methods of strings, on sequences and on compound statements.
"""

import re
import sys
from pydoc_data.topics import topics

import numpy as np

import lamina
from lamina import layers

CHAPTERS = ["debugger", "formatstrings", "string-methods", "typesseq", "compound"]
LENGTH = 16


def load_data():
    """Pieces of 16 words, none in two of them, with the number of their chapter, in an order of their own."""
    pieces, labels = [], []
    for label, chapter in enumerate(CHAPTERS):
        words = re.findall(r"[a-z]+", topics[chapter].lower())
        found = [words[start : start + LENGTH] for start in range(0, len(words), LENGTH)]
        pieces += found
        labels += [label] * len(found)
    order = np.random.default_rng(0).permutation(len(pieces))
    return [pieces[i] for i in order], np.array(labels, np.int32)[order]


def encode(pieces, vocabulary):
    """Numbers of words, 0 where there are none; words that are not in the vocabulary are left out."""
    known = [[vocabulary[word] for word in piece if word in vocabulary] for piece in pieces]
    return lamina.utils.pad_sequences(known, maxlen=LENGTH, padding="post")


def make_model(words):
    """Embedding, attention of each word to the others, and the mean of the words that are there."""
    lamina.random.set_seed(2)
    numbers = lamina.Input((LENGTH,), dtype="int32")
    hidden = layers.Embedding(words + 1, 32, mask_zero=True)(numbers)
    hidden = layers.Add()([hidden, layers.MultiHeadAttention(2, 16)(hidden, hidden)])
    hidden = layers.Dropout(0.4, seed=1)(layers.GlobalAveragePooling1D()(hidden))
    model = lamina.Model(numbers, layers.Dense(len(CHAPTERS), activation="softmax")(hidden), name="chapters")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    pieces, labels = load_data()
    split = len(pieces) * 4 // 5
    vocabulary = {word: i for i, word in enumerate(sorted({w for p in pieces[:split] for w in p}), 1)}
    x, y = encode(pieces, vocabulary), labels
    model = make_model(len(vocabulary))
    model.summary()
    model.fit(x[:split], y[:split], validation_data=(x[split:], y[split:]), batch_size=32, epochs=12, seed=1, verbose=2)

    _, accuracy = model.evaluate(x[split:], y[split:], verbose=0)
    commonest = np.bincount(y[split:]).max() / len(y[split:])
    print(f"{len(pieces)} pieces of text, {len(vocabulary)} words; right: {accuracy:.0%}, by guessing {commonest:.0%}")
    for piece in ("set a breakpoint and continue", "the width and precision of a field"):
        scores = model.predict(encode([piece.split()], vocabulary), verbose=0)[0]
        print(f"{piece!r}: {CHAPTERS[scores.argmax()]} ({scores.max():.0%})")
    check("at least 75 % of the unseen pieces are right", accuracy >= 0.75)


if __name__ == "__main__":
    main()
