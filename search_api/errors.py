"""What a question can be refused for; `faces` gives every error of WhyAlike its HTTP face.

SearchError
├── Abandoned            whoever asked has gone away
├── AmbiguousGallery     several galleries are published and the question names none
├── CursorGone           a cursor leads on in a build that the gallery keeps no longer
├── ForeignOrigin        a browser sent this for another page
├── InvalidCursor        a cursor that was never given out, or belongs to another question
├── EncoderNotFound      no encoder of this name is registered, or several are
├── InvalidQuestion      a number or a combination that cannot be answered
├── KeyRequired          no key, or one that is not valid
├── NoSuchHead           the encoder has no head of the kind that the question needs
├── OfTheMoment          what may be asked again, unchanged, in some seconds
│   ├── FetchesBusy      as many pictures of the web as may be are being fetched
│   ├── Overloaded       as many requests as may be are being worked on and wait
│   ├── ShuttingDown     the service is about to end
│   ├── TooManyRequests  more requests in a minute than one may send
│   └── TrialsBusy       as many pairs as may be are being tested by hiding regions
├── PictureUnavailable   an image's original and its thumbnail cannot be read any more
├── ScopeMissing         the key is not good for this
├── TracesUnavailable    traces are wanted, and the extra that sends them is not installed
├── Unfinished           a request of which the rest is not read
│   ├── SlowBody         its body took too long to arrive
│   └── UploadTooLarge   more bytes arrived than one request may hold
├── UnknownHost          the request was sent to a name that is not this service's
└── UnknownLabel         the filter names a label that no image has
"""

from __future__ import annotations

from collections.abc import Sequence

CHALLENGE = 'Bearer realm="whyalike"'
RETRY_AFTER_S = 5
"""Long enough for another writer to finish one of its short transactions."""


class SearchError(Exception):
    """Anything that the search refuses; the message is one sentence for people.

    `headers` go with the refusal over HTTP.
    """

    @property
    def headers(self) -> dict[str, str]:
        """None, unless the kind of error has some."""
        return {}


class Abandoned(SearchError):  # noqa: N818 - named after what it says, like the rest of the tree
    """Whoever asked has gone away, so that nobody sees this."""

    def __init__(self) -> None:
        super().__init__("Nobody waited for the answer any more.")


class AmbiguousGallery(SearchError):  # noqa: N818
    """Several galleries are published and the question names none of them."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(f"Several galleries are published; name one: {', '.join(sorted(choices))}.")


class ForeignOrigin(SearchError):  # noqa: N818
    """A browser sent this for another page."""

    def __init__(self, origin: str | None) -> None:
        whose = f"the page {origin}" if origin else "no page of this service"
        super().__init__(f"This was sent by {whose}; only the service's own page may change something here.")


class CursorGone(SearchError):  # noqa: N818
    """A cursor leads on in a build that the gallery keeps no longer."""

    def __init__(self, gallery: str, build: int) -> None:
        super().__init__(
            f"The cursor leads on in build {build} of {gallery!r}, which is not kept any more: search again "
            "from the first page."
        )


class InvalidCursor(SearchError):  # noqa: N818
    """A cursor that was never given out, or belongs to another question."""


class EncoderNotFound(SearchError):  # noqa: N818
    """No encoder of this name is registered, or several are."""


class InvalidQuestion(SearchError):  # noqa: N818
    """A number out of range or a combination that makes no sense."""


class KeyRequired(SearchError):  # noqa: N818
    """No key was shown, or one that is not valid."""

    def __init__(self, *, is_wrong: bool) -> None:
        self._is_wrong = is_wrong
        super().__init__(
            "The key is not valid: it was revoked, has expired, or never was one."
            if is_wrong
            else "This needs a key, sent as “Authorization: Bearer KEY”; `whyalike keys create` makes one."
        )

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750."""
        return {"WWW-Authenticate": CHALLENGE + (', error="invalid_token"' if self._is_wrong else "")}


class NoSuchHead(SearchError):  # noqa: N818
    """The encoder has no head of the kind that the question needs."""

    def __init__(self, encoder: str, head: str, reason: str | None = None) -> None:
        why = f" ({reason})" if reason else ""
        super().__init__(
            f"The encoder “{encoder}” has no {head}{why}; "
            "`whyalike train` learns one with the encoder, from labelled images."
        )


class OfTheMoment(SearchError):  # noqa: N818
    """What may be asked again, unchanged, in some seconds."""

    retry_after_s = RETRY_AFTER_S

    @property
    def headers(self) -> dict[str, str]:
        """When to ask again."""
        return {"Retry-After": str(self.retry_after_s)}


class FetchesBusy(OfTheMoment):
    """As many pictures of the web as may be are being fetched, and none was done in time."""

    def __init__(self, fetches: int) -> None:
        super().__init__(
            f"{fetches} pictures of the web are being fetched for others; ask again in a few seconds."
        )


class Overloaded(OfTheMoment):
    """As many requests as may be are being worked on and wait."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("As many requests as may be are waiting here; ask again in some seconds.")


class PictureUnavailable(SearchError):  # noqa: N818
    """Neither the original of an image nor its thumbnail can be read any more."""

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"The picture of image {image_id} is gone: neither its original nor its thumbnail can be read; "
            "`whyalike gallery repair` mends what can be mended."
        )


class ScopeMissing(SearchError):  # noqa: N818
    """The key is not good for this."""

    def __init__(self, wanted: str, held: str) -> None:
        self._wanted = wanted
        super().__init__(f"This needs a key with the scope “{wanted}”, and this one has “{held}”.")

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750."""
        return {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{self._wanted}"'}


class ShuttingDown(OfTheMoment):
    """The service is about to end."""

    def __init__(self) -> None:
        super().__init__("This service is shutting down; ask again in some seconds.")


class Unfinished(SearchError):  # noqa: N818
    """A request of which the rest is not read: its connection ends."""

    @property
    def headers(self) -> dict[str, str]:
        """Else the rest of the body would be waited for."""
        return {"Connection": "close"}


class SlowBody(Unfinished):
    """The body of a request took too long to arrive."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The body of a request must arrive within {seconds:g} seconds, or at a steady rate."
        )


class TooManyRequests(OfTheMoment):
    """More requests in a minute than one may send."""

    def __init__(self, what: str, per_minute: int, *, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        whose = "one key" if what in {"requests", "searches"} else "one address"
        super().__init__(
            f"At most {per_minute} {what} in a minute are taken from {whose}; ask again in {retry_after_s} s."
        )


class TracesUnavailable(SearchError):  # noqa: N818
    """Traces are wanted, and the extra that sends them is not installed."""


class TrialsBusy(OfTheMoment):
    """As many pairs as may be are being tested by hiding regions, and none was done in time."""

    def __init__(self) -> None:
        super().__init__("Other pairs are being tested by hiding regions; ask again in a few seconds.")


class UnknownHost(SearchError):  # noqa: N818
    """The request was sent to a name that is not this service's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This service answers to no name “{name}”; the setting allowed_hosts says to which it does."
        )


class UnknownLabel(SearchError):  # noqa: N818
    """The filter names a label that no image of the gallery has."""

    def __init__(self, label: str, gallery: str, *, predicted: bool = False) -> None:
        source = ", which the class head gives the query; search without the prefilter" if predicted else ""
        super().__init__(f"No image of the gallery “{gallery}” has the label “{label}”{source}.")


class UploadTooLarge(Unfinished):
    """More bytes than one request may hold."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"This request may hold at most {max_bytes:,} bytes.")
