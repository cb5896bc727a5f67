"""`whyalike keys`: who may ask the service."""

import typer

from whyalike.commands.keys.create import create
from whyalike.commands.keys.list_keys import list_keys
from whyalike.commands.keys.revoke import revoke

keys = typer.Typer(name="keys", help="Make, list and revoke the keys of the service.", no_args_is_help=True)
keys.command()(create)
keys.command(name="list")(list_keys)
keys.command()(revoke)
