"""Attacks on a synthetic table, as somebody would try them who wants to learn about the persons behind it.

The attacker

- sees the released synthetic table, and nothing else of the generator: no model, no losses, no random numbers;
- knows the codebook and what kind of generator was used;
- has ``reference`` rows: other persons of the same population;
- holds complete rows of persons and asks of each: was this person among those that the generator learned from
  (`membership`, `shadow`)? Or holds all columns of a person but one and asks for that one (`attributes`).

Persons are in one partition only: ``members``, whom the generator is fitted on; ``nonmembers``, as many rows of the
same population that it never sees; ``reference``, the attacker's own; ``fresh``, which nobody sees and which stand for
a perfect synthetic table (the control ``holdout``). Members and nonmembers are halves of the training rows, reference
and fresh rows halves of the test rows.

An attack that tells members from nonmembers found something that only learning from the members can have put there.
What it finds of both alike is knowledge of the population, which is what a synthetic table is for. Where the real table
holds many equal rows, a synthetic row may equal a member's by chance: every measure is read against the holdout's.
"""
