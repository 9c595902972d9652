"""Why a file is refused: the sentences that all parsers share."""

from codec.errors import RequestError


def damaged(kind: str, detail: str) -> RequestError:
    """A file that breaks its format's rules; detail names the place."""
    return RequestError(f"the {kind} file is damaged or incomplete ({detail}); export it again")


def unusual(kind: str, what: str, instead: str) -> RequestError:
    """A file of a kind that nothing here decodes right."""
    return RequestError(f"the {kind} file {what}, which this server does not read; {instead}")


def excessive(kind: str, most: int, what: str) -> RequestError:
    """A file with more parts than any camera or editor writes."""
    return RequestError(f"the {kind} file has more than {most} {what}, too many for a photo; export it again")


def several(kind: str, pictures: int) -> RequestError:
    """An animation, or a file of pages."""
    return RequestError(f"the {kind} file holds {pictures} pictures; send them one by one")
