"""Sentences are kept apart from the language they are said in."""

from wizard.text import say


def test_a_sentence_fills_in_its_values_in_english() -> None:
    assert str(say("Port %(port)s is taken.", port=18081)) == "Port 18081 is taken."


def test_a_sentence_without_values_may_hold_a_percent_sign() -> None:
    assert str(say("100 % of it")) == "100 % of it"


def test_sentences_nest() -> None:
    assert str(say("The step %(step)s works.", step=say("Deploy"))) == "The step Deploy works."
