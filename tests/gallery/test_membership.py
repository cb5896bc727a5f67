"""Questions about membership are answered from indexes, however much else there is."""

from sqlalchemy import create_engine, select, text

from gallery.membership import not_removed
from gallery.records.images import PlaceRecord
from gallery.records.metadata import metadata


def test_who_was_removed_is_looked_up_and_not_searched_for() -> None:
    engine = create_engine("sqlite://")
    metadata().create_all(engine)
    question = select(PlaceRecord.image_id).where(not_removed())
    with engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {question.compile(engine)}")).all()
    details = [row.detail for row in plan]
    assert any("ix_removals_image_id" in each for each in details), details
