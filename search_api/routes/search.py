"""Asking with a picture: search a gallery, compare a pair."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from search_api.asked_search import AskedSearch
from search_api.errors import InvalidQuestion
from search_api.evidence.accounts import Extras, HidingWanted
from search_api.queries.subjects import KeptUpload, Stored, Whole
from search_api.routes.asking import Asking, TheRates, count_searches, refusals, written
from search_api.routes.batches import answer_each, require_size
from search_api.routes.query_forms import CropField, MaskedField, Query, Sent, part, uploaded
from search_api.routes.wish_forms import Wished
from search_api.schemas.asking import MAX_DATABASE_ID, MAX_QUERY_ID, parsed
from search_api.schemas.base import ExplainedScore, FittedOn, ScorerName
from search_api.schemas.batch import BatchResponse, SearchJson
from search_api.schemas.search import CompareResponse, SearchResponse
from search_api.schemas.why_not import WhyNotResponse
from search_api.stopwatch import Stopwatch

router = APIRouter(prefix="/v1", tags=["search"])

GalleryField = Annotated[
    str | None,
    Form(description="Which gallery; not needed where only one is published or one is called “default”."),
]
KeptField = Annotated[str | None, Form(max_length=MAX_QUERY_ID)]
StoredField = Annotated[int | None, Form(ge=1, le=MAX_DATABASE_ID)]
ScorerField = Annotated[
    ScorerName,
    Form(description="What decides order, probability and verdict: the distance or the pair head."),
]
ExplainedField = Annotated[
    ExplainedScore | None, Form(description="The number that the maps explain; by default the scorer's.")
]
OverlaysField = Annotated[bool, Form(description="Also paint the maps over the pictures, as PNG data URIs.")]
CorrespondencesField = Annotated[
    bool, Form(description="Also say which spot of one picture answers which spot of the other.")
]


@router.post(
    "/search",
    summary="Find images that look like a picture",
    response_model=SearchResponse,
    responses=refusals(404, 409, 410, 413, 422),
)
def search(
    asking: Asking,
    query: Query,
    wish: Wished,
    gallery: GalleryField = None,
    scorer: ScorerField = "distance",
    explained: ExplainedField = None,
    overlays: OverlaysField = False,
    correspondences: CorrespondencesField = False,
    keep: Annotated[
        float | None,
        Form(gt=0, description="Keep what is sent for so many seconds; the answer then has a query_id."),
    ] = None,
) -> Response:
    """The nearest images, re-scored by their exact embeddings, each with its evidence on both pictures.

    Equal bytes are at distance 0. A label or an attribute that no image has is refused, so that a slip of the
    pen does not look like an empty result. `queries` asks with several pictures together, by
    the normalised sum of their weighted embeddings.
    """
    extras = Extras(overlays=overlays, correspondences=correspondences)
    return written(asking.ask(AskedSearch(query, wish, gallery, scorer, explained, extras, keep)))


@router.post(
    "/search/batch",
    summary="Ask several searches at once",
    response_model=BatchResponse,
    responses=refusals(404, 409, 413, 422),
)
def search_batch(
    request: Request,
    asking: Asking,
    rates: TheRates,
    searches: Annotated[
        str,
        Form(
            description="A JSON list of searches, each with the fields of /v1/search; `upload` counts the "
            "pictures sent as `image` from 0."
        ),
    ],
    image: Annotated[list[UploadFile] | None, File(description="Pictures to ask with; not kept.")] = None,
) -> Response:
    """An answer or a problem for each of the searches, in their order: one that is refused spoils no more.

    Each of them counts as a search of the key.
    """
    clock = Stopwatch()
    sent = Sent(image or [], asking.settings.upload_max_bytes)
    asked = require_size(parsed(list[SearchJson], searches, "searches"), asking)
    count_searches(request, rates, sum(len(each.queries or (each,)) for each in asked))
    answered = answer_each(asking, asked, sent)
    return written(BatchResponse(answers=answered, milliseconds=clock.milliseconds()["total"]))


@router.post(
    "/why-not",
    summary="Ask why an image was not returned",
    response_model=WhyNotResponse,
    responses=refusals(404, 409, 410, 413, 422),
)
def why_not(
    asking: Asking,
    query: Query,
    wish: Wished,
    wanted_image_id: Annotated[StoredField, Form(description="The image that was expected.")] = None,
    wanted_uri: Annotated[
        str | None, Form(description="Instead: where it lies, as matches tell it.", max_length=8192)
    ] = None,
    gallery: GalleryField = None,
    scorer: ScorerField = "distance",
) -> Response:
    """What kept the image out of the matches of such a search, with the numbers of each stage: whether it is
    in the gallery, what filters say, what the index made of it, how it was re-scored.
    """
    if (wanted_image_id is None) == (wanted_uri is None):
        raise InvalidQuestion("Name the expected image by either wanted_image_id or wanted_uri.")
    wanted = wanted_image_id if wanted_image_id is not None else str(wanted_uri)
    return written(asking.why_not(query, wanted, gallery=gallery, wish=wish, scorer=scorer))


@router.post(
    "/compare",
    summary="Compare two pictures",
    response_model=CompareResponse,
    responses=refusals(404, 409, 413, 422),
)
def compare(
    asking: Asking,
    a: Annotated[UploadFile | None, File(description="One picture; it is not kept.")] = None,
    b: Annotated[UploadFile | None, File(description="The other one; it is not kept.")] = None,
    a_image_id: Annotated[StoredField, Form(description="Instead of a: an image of the gallery.")] = None,
    b_image_id: Annotated[StoredField, Form(description="Instead of b: an image of the gallery.")] = None,
    a_query_id: Annotated[KeptField, Form(description="Instead of a: a picture that is kept.")] = None,
    b_query_id: Annotated[KeptField, Form(description="Instead of b: a picture that is kept.")] = None,
    crop: CropField = None,
    masked: MaskedField = None,
    gallery: GalleryField = None,
    scorer: ScorerField = "distance",
    calibration: Annotated[
        FittedOn,
        Form(description="What distances mean: among balanced pairs, or as a search judges what it shows."),
    ] = "pair",
    explained: ExplainedField = None,
    overlays: OverlaysField = False,
    correspondences: CorrespondencesField = False,
    contributions: Annotated[
        bool, Form(description="Also say what each two cells of the pair add to its cosine.")
    ] = False,
    what_if: Annotated[
        bool, Form(description="Also hide what speaks for the verdict in a, and say what is left of it.")
    ] = False,
    faithfulness: Annotated[
        bool, Form(description="Also test both maps by hiding regions; this takes seconds.")
    ] = False,
) -> Response:
    """How near two pictures are by the gallery's encoder: the fields of one match, b being matched.

    `crop` and `masked` are of a, as they are of the query in a search.
    """
    limit = asking.settings.upload_max_bytes
    query = part(_one_of(limit, a, a_image_id, a_query_id, "a"), crop, masked)
    matched = _one_of(limit, b, b_image_id, b_query_id, "b")
    hiding = HidingWanted(what_if=what_if, faithfulness=faithfulness, pictures=overlays)
    return written(
        asking.comparer.compare(
            query,
            matched,
            gallery=gallery,
            scorer=scorer,
            calibration=calibration,
            of=explained,
            extras=Extras(overlays, correspondences, contributions, hiding),
        )
    )


def _one_of(
    limit: int, upload: UploadFile | None, image_id: int | None, query_id: str | None, field: str
) -> Whole:
    named: list[Whole] = [uploaded(upload, limit)] if upload is not None else []
    if image_id is not None:
        named.append(Stored(image_id))
    if query_id is not None:
        named.append(KeptUpload(query_id))
    if len(named) != 1:
        raise InvalidQuestion(
            f"Send either a picture as {field}, an image of the gallery as {field}_image_id, or a kept one "
            f"as {field}_query_id."
        )
    return named[0]
