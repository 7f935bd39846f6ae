"""Genres of a file or a folder, matched with those of a model by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from genredag.errors import ParameterError


def plain_name(genre: str) -> str:
    """Return a genre without what spellings differ in: ``Hip-Hop`` is ``hiphop``."""
    return "".join(filter(str.isalnum, genre.casefold()))


def match_genres(
    labels: Iterable[str], class_names: Sequence[str], given: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """Return the class that each label means, or None if the model does not know the genre.

    Parameters
    ----------
    labels
        Genres as they are called elsewhere.
    given
        Classes of labels that are called otherwise.

    Raises
    ------
    ParameterError
        `given` names a label that does not occur, or a genre that the model does not know.
    """
    labels, given = list(dict.fromkeys(labels)), given or {}
    plain = {plain_name(name): name for name in reversed(class_names) if plain_name(name)}
    exact = {name: name for name in class_names}

    def own_name(genre: str) -> str | None:
        return exact.get(genre, plain.get(plain_name(genre)))

    for label, genre in given.items():
        if label not in labels:
            raise ParameterError(f"no genre {label!r}", where="--map", expected=f"one of {', '.join(labels)}")
        if own_name(genre) is None:
            names = ", ".join(class_names)
            raise ParameterError(
                f"no genre {genre!r} in the model", where="--map", expected=f"one of {names}"
            )
    return {label: own_name(given.get(label, label)) for label in labels}
