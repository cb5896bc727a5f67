"""`whyalike gallery`: the verbs that look into a gallery and keep it whole."""

import typer

from whyalike.commands.gallery.backup import backup
from whyalike.commands.gallery.cluster import cluster
from whyalike.commands.gallery.compact import compact
from whyalike.commands.gallery.delete import delete
from whyalike.commands.gallery.erase import erase
from whyalike.commands.gallery.list_galleries import galleries
from whyalike.commands.gallery.near_duplicates import near_duplicates
from whyalike.commands.gallery.probe import probe
from whyalike.commands.gallery.removals import removals
from whyalike.commands.gallery.repair import repair
from whyalike.commands.gallery.restore import restore
from whyalike.commands.gallery.rollback import rollback
from whyalike.commands.gallery.show import show
from whyalike.commands.gallery.swap import swap
from whyalike.commands.gallery.verify import verify

gallery = typer.Typer(name="gallery", help="Look into a gallery, and keep it whole.", no_args_is_help=True)
gallery.command(name="list")(galleries)
gallery.command(name="near-duplicates")(near_duplicates)
for verb in (
    show,
    verify,
    probe,
    repair,
    compact,
    cluster,
    rollback,
    backup,
    restore,
    erase,
    delete,
):
    gallery.command()(verb)
gallery.add_typer(swap)
gallery.add_typer(removals)
