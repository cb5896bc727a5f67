"""`whyalike judgements`: what people said of pairs."""

import typer

from whyalike.commands.judgements.export_judgements import export_judgements
from whyalike.commands.judgements.list_judgements import list_judgements
from whyalike.commands.judgements.revoke import revoke

judgements = typer.Typer(
    name="judgements", help="List, revoke and export what people said of pairs.", no_args_is_help=True
)
judgements.command(name="list")(list_judgements)
judgements.command()(revoke)
judgements.command(name="export")(export_judgements)
